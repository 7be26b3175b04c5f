"""The mapper, and the two ways to say how one type becomes another."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final, TypeVar, cast

from pydantic import BaseModel

from neuroglia.core.errors import ConfigurationError
from neuroglia.core.generics import annotations, name_of
from neuroglia.core.scanning import functions

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])
_MARK: Final = "__mapping__"


def mapping(function: F) -> F:
    """Marks a function that maps its first parameter's type to its result's.

    Keyword-only parameters are what the source does not know; they are given to `Mapper.map` by name.
    """
    setattr(function, _MARK, True)
    return function


@dataclass(frozen=True, slots=True)
class NameMapping:
    """See `by_name`."""

    source: type[Any]
    target: type[BaseModel]


def by_name(source: type[Any], target: type[BaseModel]) -> NameMapping:
    """Declares that a pydantic model is filled from attributes of the same names.

    Give it a name at the top level of a module, where the mapper looks: `show = by_name(Person, PersonDto)`. The
    start checks that the source has an attribute for every required field.
    """
    return NameMapping(source, target)


class Mapper:
    """Maps objects by the mappings of an application."""

    def __init__(self, modules: Sequence[ModuleType]) -> None:
        """Collects the mappings that these modules declare.

        Raises:
            ConfigurationError: two for one pair of types, one without annotations, or a field that nothing fills.
        """
        self._mappings: dict[tuple[type[Any], type[Any]], Callable[..., Any]] = {}
        declared = {id(member): member for module in modules for member in vars(module).values()}
        for member in declared.values():
            if isinstance(member, NameMapping):
                _check_fields(member)
                self._add(member.source, member.target, _from_attributes(member.target))
        for function in cast("Sequence[Callable[..., Any]]", functions(modules, _MARK)):
            self._add(*_signature(function), function)

    def map(self, source: object, target: type[T], /, **values: object) -> T:
        """The source as a `target`.

        Raises:
            ConfigurationError: no mapping was declared for these two types.
        """
        for kind in type(source).__mro__:
            if function := self._mappings.get((kind, target)):
                return function(source, **values)  # type: ignore[no-any-return]
        raise ConfigurationError(
            f"nothing maps {type(source).__name__} to {name_of(target)}; write a @mapping function with this signature"
        )

    def _add(self, source: type[Any], target: type[Any], function: Callable[..., Any]) -> None:
        if (source, target) in self._mappings:
            raise ConfigurationError(f"{source.__name__} is mapped to {name_of(target)} twice; keep one")
        self._mappings[source, target] = function


def _signature(function: Callable[..., Any]) -> tuple[type[Any], Any]:
    """What a mapping function takes and returns."""
    hints = annotations(function)
    source = hints.get(next(iter(inspect.signature(function).parameters), ""))
    if not inspect.isclass(source) or "return" not in hints:
        raise ConfigurationError(
            f"{function.__qualname__}: annotate what a mapping takes (one class) and what it returns"
        )
    return source, hints["return"]


def _from_attributes(target: type[BaseModel]) -> Callable[..., Any]:
    def fill(source: object) -> BaseModel:
        return target.model_validate(source, from_attributes=True)

    return fill


def _check_fields(declared: NameMapping) -> None:
    source, target = declared.source, declared.target
    known = {*annotations(source), *dir(source)}
    for name, field in target.model_fields.items():
        if field.is_required() and name not in known:
            raise ConfigurationError(
                f"by_name({source.__name__}, {target.__name__}): {source.__name__} has no '{name}'; "
                f"give {target.__name__}.{name} a default, or write a @mapping function"
            )
