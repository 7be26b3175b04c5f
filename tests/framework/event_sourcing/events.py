"""Short ways to make events and to follow a log."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from neuroglia.event_sourcing import Batch, EventMetadata, EventStore, EventSubscription, NewEvent, StoredEvent

LIMIT_S = 10.0
"""How long a test waits for what must come."""
NOON = datetime(2025, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)


def new_event(
    data: bytes = b"{}", *, type: str = "test.happened.v1", id: str | None = None, causation_id: str | None = None
) -> NewEvent:
    """An event that nobody has stored yet."""
    metadata = EventMetadata(recorded_at=NOON, correlation_id="correlation", causation_id=causation_id, actor="ada")
    return NewEvent(id=id or str(uuid4()), type=type, data=data, metadata=metadata)


def new_events(count: int) -> Sequence[NewEvent]:
    """Several of them."""
    return [new_event(b'{"n":%d}' % number) for number in range(count)]


async def stream_of(store: EventStore, stream: str) -> Sequence[StoredEvent]:
    """All events of a stream."""
    return [event async for event in store.read(stream)]


def ids(events: Sequence[NewEvent] | Sequence[StoredEvent]) -> list[str]:
    """Their ids, in order."""
    return [event.id for event in events]


async def log_of(store: EventStore, after: int, *prefixes: str) -> list[StoredEvent]:
    """All events of the log behind a position, page by page."""
    found: list[StoredEvent] = []
    while True:
        batch = await store.read_all(after=after, prefixes=prefixes)
        found += batch.events
        if batch.caught_up:
            return found
        after = batch.events[-1].position


async def batches_until(subscription: EventSubscription, count: int, *, caught_up: bool = True) -> list[Batch]:
    """What a subscription gives until it has told so many events, and, if asked for, that it has caught up."""
    batches: list[Batch] = []
    async with asyncio.timeout(LIMIT_S):
        while sum(len(batch.events) for batch in batches) < count or (
            caught_up and not (batches and batches[-1].caught_up)
        ):
            batches.append(await anext(subscription))
    return batches


async def follow(subscription: EventSubscription, count: int) -> list[StoredEvent]:
    """The next events of a subscription."""
    batches = await batches_until(subscription, count, caught_up=False)
    return [event for batch in batches for event in batch.events]
