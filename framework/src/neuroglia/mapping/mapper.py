"""The mapper, and the two ways to say how one type becomes another."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final, TypeVar, get_type_hints

from pydantic import BaseModel

from neuroglia.core.errors import ConfigurationError

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
    """Declares, at the top level of a module, that a pydantic model is filled from attributes of the same names.

    The start checks that the source has one for every required field.
    """
    return NameMapping(source, target)


class Mapper:
    """Maps objects by the mappings of an application."""

    def __init__(self, modules: Sequence[ModuleType]) -> None:
        """Collects the mappings that these modules declare.

        Raises:
            ConfigurationError: two for one pair of types, one without annotations, or a field that none fills.
        """
        self._mappings: dict[tuple[type[Any], type[Any]], Callable[..., Any]] = {}
        for module in modules:
            for member in vars(module).values():
                if isinstance(member, NameMapping):
                    _check_fields(member)
                    self._add(member.source, member.target, _from_attributes(member.target))
                elif hasattr(member, _MARK) and member.__module__ == module.__name__:
                    hints = get_type_hints(member)
                    first = next(iter(inspect.signature(member).parameters), "")
                    if first not in hints or "return" not in hints:
                        raise ConfigurationError(f"{member.__qualname__}: annotate what a mapping takes and returns")
                    self._add(hints[first], hints["return"], member)

    def map(self, source: object, target: type[T], /, **values: object) -> T:
        """The source as a `target`.

        Raises:
            ConfigurationError: no mapping was declared for these two types.
        """
        for kind in type(source).__mro__:
            if function := self._mappings.get((kind, target)):
                return function(source, **values)  # type: ignore[no-any-return]
        raise ConfigurationError(
            f"nothing maps {type(source).__name__} to {target.__name__}; write a @mapping function with this signature"
        )

    def _add(self, source: type[Any], target: type[Any], function: Callable[..., Any]) -> None:
        if (source, target) in self._mappings:
            raise ConfigurationError(f"{source.__name__} is mapped to {target.__name__} twice; keep one")
        self._mappings[source, target] = function


def _from_attributes(target: type[BaseModel]) -> Callable[..., Any]:
    def fill(source: object) -> BaseModel:
        return target.model_validate(source, from_attributes=True)

    return fill


def _check_fields(declared: NameMapping) -> None:
    source, target = declared.source, declared.target
    known = {*get_type_hints(source), *dir(source)}
    for name, field in target.model_fields.items():
        if field.is_required() and name not in known:
            raise ConfigurationError(
                f"by_name({source.__name__}, {target.__name__}): {source.__name__} has no '{name}'; "
                f"give {target.__name__}.{name} a default, or write a @mapping function"
            )
