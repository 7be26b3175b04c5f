"""What the object graph refuses, read as a newcomer would: which class, which parameter, what to do."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import pytest

from neuroglia.core import ConfigurationError
from neuroglia.dependency_injection import ServiceCollection, ServiceProvider

if TYPE_CHECKING:
    from decimal import Decimal

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Mailer: ...


class Clock(ABC):
    @abstractmethod
    def now(self) -> int: ...


class StoppedClock(Clock):
    def now(self) -> int:
        return 0


class Repository(Generic[T]): ...


class NumberRepository(Repository[int]): ...


class Session: ...


def refused(register: Callable[[ServiceCollection], None]) -> str:
    services = ServiceCollection()
    register(services)
    with pytest.raises(ConfigurationError) as failed:
        ServiceProvider(services)
    return str(failed.value)


def test_given_a_missing_service_when_built_then_class_parameter_and_remedy_are_named() -> None:
    class Greeter:
        def __init__(self, mailer: Mailer) -> None: ...

    assert refused(lambda services: services.add_scoped(Greeter)) == (
        "Greeter: parameter 'mailer' needs Mailer, which nobody registered; "
        "add it to the services, or give the parameter a default"
    )


def test_given_a_missing_closed_generic_when_built_then_the_near_ones_are_shown() -> None:
    class Lister:
        def __init__(self, texts: Repository[str]) -> None: ...

    def register(services: ServiceCollection) -> None:
        services.add_scoped(Repository[int], NumberRepository)
        services.add_scoped(Lister)

    assert "'texts' needs Repository[str], which nobody registered (there is Repository[int])" in refused(register)


def test_given_a_missing_optional_without_default_when_built_then_it_is_named() -> None:
    class Greeter:
        def __init__(self, mailer: Mailer | None) -> None: ...

    assert "parameter 'mailer' needs Mailer | None" in refused(lambda services: services.add_scoped(Greeter))


def test_given_a_factory_that_misses_something_when_built_then_factory_and_service_are_named() -> None:
    def make_clock(mailer: Mailer) -> Clock:
        return StoppedClock()

    assert refused(lambda services: services.add_scoped(Clock, make_clock)).startswith(
        "make_clock for Clock: parameter 'mailer' needs Mailer"
    )


def test_given_an_open_generic_that_misses_something_when_built_then_who_asked_is_named_too() -> None:
    class Lister:
        def __init__(self, texts: Repository[str]) -> None: ...

    class StoredRepository(Repository[T]):
        def __init__(self, mailer: Mailer) -> None: ...

    def register(services: ServiceCollection) -> None:
        services.add_open(Repository, StoredRepository)
        services.add_scoped(Lister)

    message = refused(register)
    assert message.startswith("StoredRepository for Repository[str]: parameter 'mailer' needs Mailer")
    assert message.endswith("(asked for by Lister)")


class Hen:
    def __init__(self, egg: "Egg") -> None: ...


class Egg:
    def __init__(self, shell: "Shell") -> None: ...


class Shell:
    def __init__(self, hen: Hen) -> None: ...


@pytest.mark.parametrize("lifetime", ["singleton", "scoped", "transient"])
def test_given_a_cycle_when_built_then_each_step_is_named(lifetime: str) -> None:
    def register(services: ServiceCollection) -> None:
        for kind in (Hen, Egg, Shell):
            getattr(services, f"add_{lifetime}")(kind)

    assert refused(register) == (
        "Hen(egg) → Egg(shell) → Shell(hen) → Hen: a cycle; move what they share into a service of its own"
    )


def test_given_a_cycle_of_transients_below_a_singleton_when_built_then_it_is_found() -> None:
    class Farm:
        def __init__(self, hen: Hen) -> None: ...

    def register(services: ServiceCollection) -> None:
        services.add_singleton(Farm)
        for kind in (Hen, Egg, Shell):
            services.add_transient(kind)

    assert "a cycle" in refused(register)


class Snake:
    def __init__(self, tail: "list[Snake]") -> None: ...


def test_given_a_service_that_needs_itself_when_built_then_it_is_a_cycle() -> None:
    assert "Snake(tail) → Snake: a cycle" in refused(lambda services: services.add_scoped(Snake))


def test_given_a_singleton_that_needs_a_scoped_service_when_built_then_both_and_the_remedy_are_named() -> None:
    class Cache:
        def __init__(self, session: Session) -> None: ...

    def register(services: ServiceCollection) -> None:
        services.add_singleton(Cache)
        services.add_scoped(Session)

    assert refused(register) == (
        "Cache: parameter 'session' would keep the scoped Session for ever in a singleton; "
        "make Cache scoped, or open a scope for each use"
    )


def test_given_a_scoped_service_behind_transients_when_a_singleton_needs_it_then_the_way_is_told() -> None:
    class Query:
        def __init__(self, session: Session) -> None: ...

    class Report:
        def __init__(self, queries: list[Query]) -> None: ...

    class Cache:
        def __init__(self, report: Report) -> None: ...

    def register(services: ServiceCollection) -> None:
        services.add_scoped(Session)
        services.add_transient(Query)
        services.add_transient(Report)
        services.add_singleton(Cache)

    assert "Cache: parameter 'report' would keep the scoped Session (through Report, Query) for ever" in refused(
        register
    )


def test_given_a_scoped_service_that_needs_a_singleton_when_built_then_that_is_fine() -> None:
    class Handler:
        def __init__(self, clock: Clock) -> None: ...

    services = ServiceCollection()
    services.add_scoped(Handler)
    services.add_singleton(Clock, StoppedClock)
    ServiceProvider(services)


def test_given_an_abstract_implementation_when_built_then_what_is_missing_is_named() -> None:
    assert refused(lambda services: services.add_singleton(Clock)) == (
        "Clock: Clock is abstract (now); register what implements it"
    )


def test_given_a_class_that_does_not_implement_the_service_when_built_then_both_are_named() -> None:
    assert refused(lambda services: services.add_singleton(Clock, Mailer)) == (
        "Clock: Mailer does not implement it; derive it from Clock, or register another class"
    )


def test_given_a_closed_generic_of_another_type_when_built_then_both_forms_are_named() -> None:
    assert refused(lambda services: services.add_scoped(Repository[str], NumberRepository)) == (
        "Repository[str]: NumberRepository implements Repository[int] instead; register it for that"
    )


def test_given_a_closed_class_as_open_one_when_another_form_is_asked_for_then_it_is_refused() -> None:
    class Lister:
        def __init__(self, texts: Repository[str]) -> None: ...

    def register(services: ServiceCollection) -> None:
        services.add_open(Repository, NumberRepository)
        services.add_scoped(Lister)

    assert "Repository[str]: NumberRepository implements Repository[int] instead" in refused(register)


def test_given_an_instance_of_another_class_when_built_then_both_are_named() -> None:
    assert refused(lambda services: services.add_instance(Mailer, "a text")) == (
        "Mailer: its instance is a str; register a Mailer instead"
    )
    assert "Clock: its instance is a str" in refused(lambda services: services.add_instance(Clock, "a text"))


def test_given_a_protocol_when_built_then_a_class_of_that_shape_is_taken() -> None:
    class Sends(Protocol):
        def send(self) -> None: ...

    class Pigeon:
        def send(self) -> None: ...

    class Tower:
        def __init__(self, sends: Sends) -> None:
            self.sends = sends

    services = ServiceCollection()
    services.add_singleton(Sends, Pigeon)
    services.add_singleton(Tower)
    assert isinstance(ServiceProvider(services).get_now(Tower).sends, Pigeon)


def test_given_a_protocol_alone_when_built_then_it_is_abstract() -> None:
    class Sends(Protocol):
        def send(self) -> None: ...

    assert refused(lambda services: services.add_singleton(Sends)) == (
        "Sends: Sends is abstract (a protocol); register what implements it"
    )


class Reads(Protocol[T_co]):
    def read(self) -> T_co: ...


class ReadsNumbers(Reads[int]):
    def read(self) -> int:
        return 0


def test_given_a_class_that_declares_a_protocol_when_bound_to_another_form_then_it_is_refused() -> None:
    assert "ReadsNumbers implements Reads[int] instead" in refused(
        lambda services: services.add_singleton(Reads[str], ReadsNumbers)
    )


def test_given_an_annotation_that_cannot_be_resolved_when_built_then_parameter_and_remedy_are_named() -> None:
    class Payer:
        def __init__(self, mailer: Mailer, amount: "Decimal") -> None: ...

    assert refused(lambda services: services.add_scoped(Payer)) == (
        "Payer: parameter 'amount' cannot be read (name 'Decimal' is not defined); "
        "register a class or a function whose types are imported at the top of its module"
    )


def test_given_a_factory_whose_annotation_cannot_be_resolved_when_built_then_it_is_named() -> None:
    def make(amount: "Decimal") -> Mailer:
        return Mailer()

    assert "make for Mailer: parameter 'amount' cannot be read" in refused(
        lambda services: services.add_scoped(Mailer, make)
    )


@pytest.mark.parametrize("written", ["no_module.Thing", "not python"])
def test_given_an_annotation_that_is_no_type_when_built_then_the_class_is_named(written: str) -> None:
    def make(thing: Any) -> Mailer:
        return Mailer()

    make.__annotations__["thing"] = written

    assert "make for Mailer: parameter 'thing'" in refused(lambda services: services.add_scoped(Mailer, make))


def test_given_a_parameter_without_annotation_when_built_then_it_is_named() -> None:
    class Greeter:
        def __init__(self, mailer) -> None: ...  # type: ignore[no-untyped-def]

    assert refused(lambda services: services.add_scoped(Greeter)) == (
        "Greeter: parameter 'mailer' has no type; annotate it"
    )


def test_given_a_generator_that_is_not_async_when_built_then_the_remedy_is_told() -> None:
    def make() -> Iterator[Mailer]:
        yield Mailer()

    assert refused(lambda services: services.add_scoped(Mailer, make)) == (
        "make for Mailer: a factory that yields is an async generator; write `async def`"
    )


def test_given_something_that_cannot_be_inspected_when_built_then_the_remedy_is_told() -> None:
    message = refused(lambda services: services.add_scoped(Mailer, partial(lambda: Mailer())))

    assert "for Mailer: parameter list cannot be read" in message
    assert "register a class or a function" in message


def test_given_many_mistakes_when_built_then_each_is_told_once() -> None:
    class Greeter:
        def __init__(self, mailer: Mailer, unannotated) -> None: ...  # type: ignore[no-untyped-def]

    class Polite:
        def __init__(self, greeter: Greeter, same: Greeter) -> None: ...

    def register(services: ServiceCollection) -> None:
        services.add_scoped(Polite)
        services.add_scoped(Greeter)
        services.add_singleton(Clock)

    assert [line.partition(":")[0] for line in refused(register).splitlines()] == ["Greeter", "Greeter", "Clock"]
