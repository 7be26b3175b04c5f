"""Domain events: facts in the past tense, with an explicit and versioned name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any, ClassVar, TypeVar, dataclass_transform
from uuid import UUID


class DomainEvent:
    """Base of all events. Subclasses are made immutable by `@event`."""

    __slots__ = ()
    event_type: ClassVar[str]


T = TypeVar("T")
E = TypeVar("E", bound=DomainEvent)
RawEvent = Mapping[str, Any]
"""The data of an event as it is stored, in JSON's types."""
Upcaster = Callable[[RawEvent], RawEvent]


def as_value(cls: type[T]) -> type[T]:
    """Makes the class a frozen, slotted, keyword-only dataclass. Raises like `event`."""
    made = dataclass(frozen=True, slots=True, kw_only=True)(cls)
    for field in fields(made):  # type: ignore[arg-type]
        if isinstance(field.default, date | UUID):  # `now()` in a class body is asked once, at the import
            raise ValueError(f"{cls.__name__}.{field.name}: its default was made when the module was imported; pass it")
    return made


@dataclass_transform(frozen_default=True, kw_only_default=True)
def event(name: str) -> Callable[[type[E]], type[E]]:
    """Names an event type and makes the class a frozen, slotted, keyword-only dataclass.

    `name` is what is stored, such as `openbank.money-withdrawn.v1`. It is chosen once and never changes: a
    class can be renamed or moved without touching history. A new shape gets a new name and an `@upcast`.

    Raises:
        ValueError: a default is mutable, or was made when the module was imported: a moment or an id.
    """

    def decorate(cls: type[E]) -> type[E]:
        made = as_value(cls)
        made.event_type = name
        return made

    return decorate


def upcast(old: str, *, to: str) -> Callable[[Upcaster], Upcaster]:
    """Marks a pure function from `RawEvent` to `RawEvent`: the stored JSON of event type `old` to that of type `to`.

    Chains are followed on every read (v1 → v2 → v3) and checked when the application is built.
    """

    def decorate(function: Upcaster) -> Upcaster:
        function.__upcasts__ = (old, to)  # type: ignore[attr-defined]
        return function

    return decorate
