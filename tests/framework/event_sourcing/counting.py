"""A small domain with a read model: counters, and what is shown of them."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from neuroglia.documents import Documents, document
from neuroglia.domain import AggregateRoot, DomainEvent, Envelope, StateConflict, event, upcast, when
from neuroglia.event_sourcing import EventCodec, Projection, on


@event("test.counter-opened.v1")
class CounterOpened(DomainEvent):
    name: str


@event("test.counter-increased.v2")
class CounterIncreased(DomainEvent):
    by: int
    note: str | None


@event("test.counter-closed.v1")
class CounterClosed(DomainEvent):
    pass


@upcast("test.counter-increased.v0", to="test.counter-increased.v1")
def plus_became_by(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return {"by": data["plus"]}


@upcast("test.counter-increased.v1", to="test.counter-increased.v2")
def note_was_added(data: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**data, "note": None}


class Counter(AggregateRoot, stream="counter"):
    name: str
    total: int

    @classmethod
    def open(cls, id: str, name: str = "") -> "Counter":
        counter = cls(id)
        counter.apply(CounterOpened(name=name))
        return counter

    def increase(self, by: int, note: str | None = None) -> CounterIncreased:
        if by <= 0:
            raise StateConflict("a counter only goes up")
        return self.apply(CounterIncreased(by=by, note=note))

    @when
    def _opened(self, event: CounterOpened) -> None:
        self.name = event.name
        self.total = 0

    @when
    def _increased(self, event: CounterIncreased) -> None:
        self.total += event.by


@document("counters")
class CounterView(BaseModel):
    """What is shown. The projection adds up without any guard: an event that took effect twice would show."""

    id: str
    name: str
    total: int = 0
    revisions: list[int] = []


class CounterProjection(Projection):
    def __init__(self, views: Documents[CounterView]) -> None:
        self.views = views

    @on
    async def opened(self, event: CounterOpened, envelope: Envelope) -> None:
        await self.views.save(CounterView(id=envelope.aggregate_id, name=event.name, revisions=[envelope.revision]))

    @on
    async def increased(self, event: CounterIncreased, envelope: Envelope) -> None:
        view = await self.views.get(envelope.aggregate_id)
        view.total += event.by
        view.revisions.append(envelope.revision)
        await self.views.save(view)


COUNTER_CODEC = EventCodec([CounterOpened, CounterIncreased, CounterClosed], [plus_became_by, note_was_added])
"""Knows the events of counters."""
