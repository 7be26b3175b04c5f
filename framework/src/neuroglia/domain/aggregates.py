"""Aggregates: the consistency boundary. Methods decide and apply events; `@when` methods change the state."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, ClassVar, TypeVar, get_type_hints

from typing_extensions import override

from neuroglia.domain.events import DomainEvent

A = TypeVar("A", bound="AggregateRoot")
E = TypeVar("E", bound=DomainEvent)
When = Callable[[Any, Any], None]


def when(handler: Callable[[A, E], None]) -> Callable[[A, E], None]:
    """Marks the method that changes an aggregate's state for the event type of its one parameter.

    Such a method must neither decide nor fail: it is run again on every load, for facts that have happened.
    """
    handler.__when__ = True  # type: ignore[attr-defined]
    return handler


class AggregateRoot:
    """Base of event-sourced aggregates.

    A subclass names its stream category (`class BankAccount(AggregateRoot, stream="bank_account")`), so that
    the aggregate with id 7 lives in the stream `bank_account-7`. With `snapshot_every=100`, its state is kept after
    each hundred events, so that a long life does not make it slow.

    Attributes:
        id: the aggregate's id.
        version: the revision of the last *stored* event, -1 for a new aggregate. It is the expected revision
            of the next save.
        created_at: when the first event was recorded (UTC); set once the aggregate is stored.
        modified_at: when the last event was recorded (UTC).
    """

    stream: ClassVar[str]
    snapshot_every: ClassVar[int | None] = None
    id: str
    version: int
    created_at: datetime | None
    modified_at: datetime | None
    __transitions: ClassVar[Mapping[type[DomainEvent], When] | None] = None

    @override
    def __init_subclass__(cls, *, stream: str | None = None, snapshot_every: int | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__transitions = None
        if stream is not None:
            if not stream or "-" in stream:
                raise TypeError(f"{cls.__name__}: a stream category is not empty and has no '-': {stream!r}")
            cls.stream = stream
        if snapshot_every is not None:
            cls.snapshot_every = snapshot_every
        for name, default in vars(cls).items():
            if not name.startswith("__") and isinstance(default, list | dict | set | bytearray):
                raise TypeError(
                    f"{cls.__name__}.{name}: a mutable value on the class is shared by all instances; "
                    f"set it in the @when method of the first event"
                )

    def __init__(self, id: str) -> None:
        self.id = id
        self.version = -1
        self.created_at = None
        self.modified_at = None
        self.__pending: list[DomainEvent] = []
        self.__sealed = False

    @property
    def pending(self) -> Sequence[DomainEvent]:
        """The events that were applied and are not yet stored."""
        return tuple(self.__pending)

    def apply(self, event: E) -> E:
        """Records a decision: changes the state now and keeps the event for the next save. Returns the event."""
        if self.__sealed:
            raise RuntimeError(f"this {type(self).__name__} is one of the past, which nobody can change")
        self.transitions()[type(event)](self, event)
        self.__pending.append(event)
        return event

    def seal(self) -> None:
        """Makes it an aggregate that can only be read: one of the past."""
        self.__sealed = True

    def replay(self, event: DomainEvent, revision: int, recorded_at: datetime) -> None:
        """Takes in the next stored event of this aggregate's stream. For repositories."""
        self.transitions()[type(event)](self, event)
        self.__stored(revision, recorded_at)

    def mark_saved(self, revision: int, recorded_at: datetime) -> None:
        """Tells that the pending events are stored, the last one at this revision. For repositories."""
        self.__pending.clear()
        self.__stored(revision, recorded_at)

    def __stored(self, revision: int, recorded_at: datetime) -> None:
        self.version = revision
        self.modified_at = recorded_at
        if self.created_at is None:
            self.created_at = recorded_at

    @classmethod
    def transitions(cls) -> Mapping[type[DomainEvent], When]:
        """The `@when` method of each event type, looked up once per class.

        Raises:
            TypeError: a `@when` method does not take exactly one event, two take the same one, or a method that takes
                an event is not marked and no other one is for it.
        """
        if cls.__transitions is None:
            cls.__transitions = _Transitions(cls, _find_transitions(cls))
        return cls.__transitions


class _Transitions(dict[type[DomainEvent], When]):
    """Names the remedy when an aggregate meets an event that it has no method for."""

    def __init__(self, owner: type, table: Mapping[type[DomainEvent], When]) -> None:
        super().__init__(table)
        self._owner = owner

    def __missing__(self, kind: type[DomainEvent]) -> When:
        raise TypeError(f"{self._owner.__name__} has no @when method for {kind.__name__}; add one")


def _find_transitions(cls: type) -> Mapping[type[DomainEvent], When]:
    table: dict[type[DomainEvent], When] = {}
    for owner in reversed(cls.__mro__):  # a subclass may replace what its base does
        own: dict[type[DomainEvent], str] = {}
        for name, method in vars(owner).items():
            if not getattr(method, "__when__", False):
                continue
            try:
                kind = _event_of(method)
            except NameError as error:
                raise TypeError(
                    f"{owner.__name__}.{name}: {error}; import the event's class at the top of the module"
                ) from None
            if kind is None:
                raise TypeError(f"{owner.__name__}.{name}: a @when method takes self and one event, annotated")
            if kind in own:
                raise TypeError(f"{owner.__name__}: {own[kind]} and {name} are both @when for {kind.__name__}")
            own[kind] = name
            table[kind] = method
    for name, method in inspect.getmembers(cls, inspect.isfunction):
        with suppress(NameError):  # what is there for checkers alone is no event of this aggregate
            forgotten = None if hasattr(method, "__when__") else _event_of(method)
            if forgotten and not any(issubclass(kind, forgotten) for kind in table):
                wrong = "takes an event but is not marked; write @when over it, or give it the event's values"
                raise TypeError(f"{cls.__name__}.{name}: {wrong}")
    return table


def _event_of(method: Callable[..., object]) -> type[DomainEvent] | None:
    """The class of the event that is all a method takes; None if it takes anything else."""
    hints = get_type_hints(method)
    match [hints.get(parameter) for parameter in list(inspect.signature(method).parameters)[1:]]:
        case [type() as kind] if issubclass(kind, DomainEvent):
            return kind
        case _:
            return None
