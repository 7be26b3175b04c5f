"""Mappings are found by their signatures."""

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import BaseModel

from neuroglia.core import ConfigurationError
from neuroglia.mapping import Mapper, by_name, mapping
from tests.framework.core.modules import module

if TYPE_CHECKING:
    from decimal import Decimal


@dataclass
class Person:
    name: str
    age: int

    @property
    def adult(self) -> bool:
        return self.age >= 18


class Employee(Person): ...


class PersonDto(BaseModel):
    name: str
    adult: bool
    note: str = "none"


class Stranger: ...


def test_given_a_function_when_mapping_then_it_is_found_by_what_it_takes_and_returns() -> None:
    @mapping
    def show(person: Person) -> str:
        return person.name

    @mapping
    def count(person: Person) -> int:
        return person.age

    mapper = Mapper([module(__name__, show, count)])

    assert mapper.map(Person("Ada", 36), str) == "Ada"
    assert mapper.map(Person("Ada", 36), int) == 36


def test_given_a_function_when_marked_then_it_can_still_be_called() -> None:
    @mapping
    def show(person: Person) -> str:
        return person.name

    assert show(Person("Ada", 36)) == "Ada"


def test_given_what_the_source_does_not_know_when_mapping_then_it_is_given_by_name() -> None:
    @mapping
    def show(person: Person, *, title: str, note: str = "?") -> str:
        return f"{title} {person.name}{note}"

    mapper = Mapper([module(__name__, show)])

    assert mapper.map(Person("Ada", 36), str, title="Countess") == "Countess Ada?"
    with pytest.raises(TypeError, match="title"):
        mapper.map(Person("Ada", 36), str)


def test_given_a_subclass_when_mapping_then_its_own_function_goes_before_its_bases() -> None:
    @mapping
    def show(person: Person) -> str:
        return "person"

    @mapping
    def show_employee(employee: Employee) -> str:
        return "employee"

    assert Mapper([module(__name__, show)]).map(Employee("Ada", 36), str) == "person"
    assert Mapper([module(__name__, show, show_employee)]).map(Employee("Ada", 36), str) == "employee"


def test_given_a_mapping_by_name_when_mapping_then_attributes_and_properties_fill_the_fields() -> None:
    mapper = Mapper([module(__name__, by_name(Person, PersonDto))])

    assert mapper.map(Person("Ada", 36), PersonDto) == PersonDto(name="Ada", adult=True)


def test_given_a_required_field_that_nothing_fills_when_collected_then_all_is_named() -> None:
    class Wide(BaseModel):
        name: str
        email: str

    with pytest.raises(ConfigurationError) as failed:
        Mapper([module(__name__, by_name(Person, Wide))])

    assert str(failed.value) == (
        "by_name(Person, Wide): Person has no 'email'; give Wide.email a default, or write a @mapping function"
    )


def test_given_two_mappings_of_one_pair_when_collected_then_they_are_refused() -> None:
    @mapping
    def one(person: Person) -> PersonDto:
        raise NotImplementedError

    two = by_name(Person, PersonDto)

    with pytest.raises(ConfigurationError, match="Person is mapped to PersonDto twice; keep one"):
        Mapper([module(__name__, one, two)])


def test_given_a_mapping_that_another_module_imports_when_collected_then_it_counts_once() -> None:
    @mapping
    def show(person: Person) -> str:
        return person.name

    shown = by_name(Person, PersonDto)
    importing = ModuleType("importing")
    importing.show, importing.shown = show, shown  # type: ignore[attr-defined]

    mapper = Mapper([module(__name__, show, shown, shown), importing])

    assert mapper.map(Person("Ada", 36), PersonDto).name == "Ada"


def test_given_an_unknown_pair_when_mapping_then_both_are_named() -> None:
    with pytest.raises(ConfigurationError, match="nothing maps Stranger to PersonDto; write a @mapping function"):
        Mapper([]).map(Stranger(), PersonDto)


def no_parameter() -> str:
    return ""


def no_source(person) -> str:  # type: ignore[no-untyped-def]
    return ""


def no_target(person: Person):  # type: ignore[no-untyped-def]
    return ""


def two_sources(person: Person | Stranger) -> str:
    return ""


@pytest.mark.parametrize("function", [no_parameter, no_source, no_target, two_sources])
def test_given_a_function_whose_signature_says_too_little_when_collected_then_it_is_named(function: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{function.__name__}: annotate what a mapping takes"):
        Mapper([module(__name__, mapping(function))])


def test_given_a_type_that_is_imported_for_checkers_alone_when_collected_then_the_remedy_is_told() -> None:
    @mapping
    def show(person: Person) -> "Decimal":
        raise NotImplementedError

    with pytest.raises(ConfigurationError, match="show: name 'Decimal' is not defined; import it at the top"):
        Mapper([module(__name__, show)])


def test_given_two_mappers_when_used_then_they_do_not_know_each_other() -> None:
    one = Mapper([module(__name__, by_name(Person, PersonDto))])
    two = Mapper([])

    assert one.map(Person("Ada", 36), PersonDto)
    with pytest.raises(ConfigurationError):
        two.map(Person("Ada", 36), PersonDto)
