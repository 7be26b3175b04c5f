"""Event sourcing: streams of events as the truth, aggregates and read models made from them."""

from neuroglia.event_sourcing.codec import EventCodec, UndecodableEvent, UnknownEventType
from neuroglia.event_sourcing.handlers import on
from neuroglia.event_sourcing.projections import Projection
from neuroglia.event_sourcing.reactions import Reaction
from neuroglia.event_sourcing.read_your_writes import reads
from neuroglia.event_sourcing.repository import EventSourcedRepository, stream_name
from neuroglia.event_sourcing.store import (
    BEGINNING,
    NO_STREAM,
    Appended,
    Batch,
    EventMetadata,
    EventStore,
    EventSubscription,
    NewEvent,
    StoredEvent,
)
from neuroglia.event_sourcing.subscriptions import Subscriptions, SubscriptionState, SubscriptionStatus

__all__ = [
    "BEGINNING",
    "NO_STREAM",
    "Appended",
    "Batch",
    "EventCodec",
    "EventMetadata",
    "EventSourcedRepository",
    "EventStore",
    "EventSubscription",
    "NewEvent",
    "Projection",
    "Reaction",
    "StoredEvent",
    "SubscriptionState",
    "SubscriptionStatus",
    "Subscriptions",
    "UndecodableEvent",
    "UnknownEventType",
    "on",
    "reads",
    "stream_name",
]
