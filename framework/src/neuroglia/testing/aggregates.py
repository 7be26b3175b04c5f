"""Given events, when a method is called, then these events or this refusal."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Generic, TypeVar

from neuroglia.domain import AggregateRoot, DomainError, DomainEvent

A = TypeVar("A", bound=AggregateRoot)
X = TypeVar("X", bound=DomainError)
_EPOCH = datetime(2025, 1, 1, tzinfo=UTC)


class Given(Generic[A]):
    """An aggregate with a history."""

    def __init__(self, aggregate: A) -> None:
        self._aggregate = aggregate

    def when(self, decide: Callable[[A], object]) -> "Outcome":
        """Lets the aggregate decide. To test how one is made, return the new aggregate."""
        try:
            result = decide(self._aggregate)
        except DomainError as refusal:
            return Outcome(self._aggregate.pending, refusal)
        decided = result if isinstance(result, AggregateRoot) else self._aggregate
        return Outcome(decided.pending, None)


class Outcome:
    """What an aggregate decided."""

    def __init__(self, events: Sequence[DomainEvent], refusal: DomainError | None) -> None:
        self._events = list(events)
        self._refusal = refusal

    def then(self, *events: DomainEvent) -> None:
        """Exactly these events were decided; none of them: nothing happened."""
        if self._refusal is not None:
            raise AssertionError(f"it was refused: {self._refusal!r}") from self._refusal
        assert self._events == list(events), f"decided {self._events}, expected {list(events)}"

    def then_refused(self, kind: type[X]) -> X:
        """It was refused with this error, and nothing was decided. Returns the error."""
        came = f"it was refused with {self._refusal!r}" if self._refusal else f"it was allowed: {self._events}"
        assert isinstance(self._refusal, kind), f"expected {kind.__name__}, but {came}"
        assert not self._events, f"it was refused, but had decided {self._events}"
        return self._refusal


def given(kind: type[A], *history: DomainEvent, id: str = "1") -> Given[A]:
    """An aggregate that these events have happened to."""
    aggregate = kind(id)
    for revision, event in enumerate(history):
        aggregate.replay(event, revision, _EPOCH)
    return Given(aggregate)
