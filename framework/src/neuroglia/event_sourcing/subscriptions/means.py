"""What every runner works with."""

from dataclasses import dataclass

from neuroglia.core.clock import Clock
from neuroglia.core.context import RequestContext
from neuroglia.core.ids import derived_id
from neuroglia.dependency_injection import ServiceProvider
from neuroglia.documents import DocumentStore, Generations
from neuroglia.event_sourcing.codec import EventCodec
from neuroglia.event_sourcing.store import EventStore, StoredEvent


@dataclass(frozen=True, slots=True)
class Means:
    """The stores and tools of one application's subscriptions."""

    provider: ServiceProvider
    events: EventStore
    codec: EventCodec
    documents: DocumentStore
    generations: Generations
    clock: Clock


def context_of(subscription: str, cause: StoredEvent) -> RequestContext:
    """In which an event is handled. Whatever it leads to has ids that derive from it, so that it can be repeated."""
    return RequestContext(
        correlation_id=cause.metadata.correlation_id,
        causation_id=cause.id,
        traceparent=cause.metadata.traceparent,
        actor=f"system:{subscription}",
        command_id=derived_id(subscription, cause.id),
        since=cause.position,
    )
