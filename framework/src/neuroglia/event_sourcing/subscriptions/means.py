"""What every runner works with."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from neuroglia.core.clock import Clock
from neuroglia.core.context import Principal, RequestContext
from neuroglia.dependency_injection import ServiceProvider
from neuroglia.documents import DocumentStore, Generations
from neuroglia.event_sourcing.codec import EventCodec
from neuroglia.event_sourcing.store import EventStore, StoredEvent
from neuroglia.observability import OFF, Tracing

_system: Final = lru_cache(Principal.system)  # one for each event of a rebuild would be many


@dataclass(frozen=True, slots=True)
class Means:
    """The stores and tools of one application's subscriptions."""

    provider: ServiceProvider
    events: EventStore
    codec: EventCodec
    documents: DocumentStore
    generations: Generations
    clock: Clock
    tracing: Tracing = OFF

    def handling(self, name: str, cause: StoredEvent, command_id: str | None = None) -> AbstractContextManager[object]:
        """Around the handling of an event by a subscription, in its context."""
        within = context_of(name, cause, command_id)
        return self.tracing.handling(name, cause.id, within, type=cause.type, recorded_at=cause.recorded_at)


def context_of(subscription: str, cause: StoredEvent, command_id: str | None = None) -> RequestContext:
    """In which an event is handled. With a command id, what it leads to has ids that derive from that, so that it can
    be repeated: nothing that it appends stands before the event itself."""
    return RequestContext(
        correlation_id=cause.correlation_id, causation_id=cause.id, traceparent=cause.traceparent,
        principal=_system(subscription), command_id=command_id, since=cause.position,
    )  # fmt: skip
