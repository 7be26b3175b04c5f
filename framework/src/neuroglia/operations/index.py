"""Which events belong to one request of the outside: an index of the log by correlation id."""

from collections.abc import Sequence
from dataclasses import replace

from pydantic import BaseModel
from typing_extensions import override

from neuroglia.dependency_injection import ServiceCollection
from neuroglia.documents import Documents, document
from neuroglia.domain import DomainEvent, Envelope, event
from neuroglia.event_sourcing import EventCodec, Projection, StoredEvent, on
from neuroglia.event_sourcing.handlers import SubscriberType
from neuroglia.event_sourcing.subscriptions import Means, SubscriptionRunner, runner_factory


@document("operations_events", key="position", indexes=[("correlation_id", "position")])
class IndexedEvent(BaseModel):
    """Where an event stands. What it says is read from the event store."""

    position: int
    correlation_id: str
    stream: str
    revision: int


@event("neuroglia.recorded.v1")
class Recorded(DomainEvent):
    """That something was recorded, whatever it was. It is never stored."""


class EveryEvent(EventCodec):
    """Takes every event for a Recorded one, without a look at its data: those of unknown types and broken ones too."""

    @override
    def class_of(self, stored_type: str) -> type[DomainEvent]:
        return Recorded

    @override
    def decode(self, stored: StoredEvent) -> DomainEvent:
        return Recorded()


class EventIndex(Projection):
    """Notes where each event of the service stands."""

    def __init__(self, events: Documents[IndexedEvent]) -> None:
        self.events = events

    @on
    async def recorded(self, event: Recorded, envelope: Envelope) -> None:  # noqa: ARG002
        """Whatever it is."""
        await self.events.save(IndexedEvent.model_validate(envelope, from_attributes=True))


def add_event_index(services: ServiceCollection, prefixes: Sequence[str], lease_seconds: float) -> None:
    """Registers the index and its runner, which has a codec of its own."""
    make = runner_factory(SubscriberType.read(EventIndex), prefixes, lease_seconds)

    def make_runner(means: Means) -> SubscriptionRunner:
        return make(replace(means, codec=EveryEvent([Recorded])))

    services.add_scoped(EventIndex)
    services.add_singleton(SubscriptionRunner, make_runner)
