"""Event sourcing: streams of events as the truth, aggregates and read models made from them."""

from neuroglia.event_sourcing.codec import (
    EventCodec as EventCodec,
    UndecodableEvent as UndecodableEvent,
    UnknownEventType as UnknownEventType,
)
from neuroglia.event_sourcing.handlers import on as on
from neuroglia.event_sourcing.projections import Projection as Projection
from neuroglia.event_sourcing.reactions import Reaction as Reaction
from neuroglia.event_sourcing.read_your_writes import reads as reads
from neuroglia.event_sourcing.repository import (
    EventSourcedRepository as EventSourcedRepository,
    stream_name as stream_name,
)
from neuroglia.event_sourcing.store import (
    BEGINNING as BEGINNING,
    NO_STREAM as NO_STREAM,
    Appended as Appended,
    Batch as Batch,
    EventMetadata as EventMetadata,
    EventStore as EventStore,
    EventSubscription as EventSubscription,
    NewEvent as NewEvent,
    StoredEvent as StoredEvent,
)
from neuroglia.event_sourcing.subscriptions import (
    Subscriptions as Subscriptions,
    SubscriptionState as SubscriptionState,
    SubscriptionStatus as SubscriptionStatus,
)
