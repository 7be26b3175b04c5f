"""An event store for tests: plain lists, which keep the port's whole contract but for durability."""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import islice

from typing_extensions import override

from neuroglia.core.clock import format_utc, parse_utc
from neuroglia.core.errors import Unavailable
from neuroglia.event_sourcing.adapters.woken import WokenSubscription
from neuroglia.event_sourcing.store import (
    BEGINNING,
    PAGE,
    Appended,
    Batch,
    EventStore,
    EventSubscription,
    NewEvent,
    StoredEvent,
    repeated,
)


class InMemoryEventStore(EventStore):
    """Keeps its events for as long as the object lives, so a service can be stopped and started on it again.

    Every call lets other tasks run before it takes effect, as a real store does while one waits for it: what
    races in production can race in a test.
    """

    def __init__(self) -> None:
        self._is_open = False
        self._log: list[StoredEvent] = []  # positions count from 1
        self._streams: dict[str, list[StoredEvent]] = {}
        self._subscriptions: set[WokenSubscription] = set()

    @override
    async def open(self) -> None:
        self._is_open = True

    @override
    async def aclose(self) -> None:
        for subscription in list(self._subscriptions):
            await subscription.stop()
        self._is_open = False

    @override
    async def ping(self) -> None:
        if not self._is_open:
            raise Unavailable("the event store is closed")
        await asyncio.sleep(0)

    @override
    async def append(self, stream: str, events: Sequence[NewEvent], expected: int) -> Appended:
        await self.ping()
        known = self._streams.get(stream, [])
        if expected != len(known) - 1:
            again = known[expected + 1 : expected + 1 + len(events)]
            return repeated(again, events, stream, expected, len(known) - 1)
        revision, position = len(known), len(self._log)
        stored = [_stored(event, stream, revision + n, position + n + 1) for n, event in enumerate(events)]
        self._log += stored
        self._streams[stream] = [*known, *stored]
        for subscription in self._subscriptions:
            subscription.wake()
        return Appended(expected + len(events), stored[-1].position if stored else BEGINNING)

    @override
    async def read_page(self, stream: str, *, after: int, limit: int) -> Batch:
        await self.ping()
        events = self._streams.get(stream, [])[after + 1 :][:limit]
        return Batch(events, caught_up=len(events) < limit)

    @override
    async def read_all(self, *, after: int = BEGINNING, prefixes: Sequence[str] = (), limit: int = PAGE) -> Batch:
        await self.ping()
        events = list(islice(_of(prefixes, self._log[max(after, 0) :]), limit))
        return Batch(events, caught_up=len(events) < limit)

    @override
    def subscribe(self, *, after: int, prefixes: Sequence[str]) -> EventSubscription:
        return WokenSubscription(self, after, prefixes, self._subscriptions)

    @override
    async def last_position(self, *, prefixes: Sequence[str], at_most: int) -> int:
        await self.ping()
        return next((event.position for event in _of(prefixes, self._log[: max(at_most, 0)][::-1])), BEGINNING)


def _of(prefixes: Sequence[str], events: Sequence[StoredEvent]) -> Iterator[StoredEvent]:
    return (event for event in events if event.stream.startswith(tuple(prefixes) or ""))


def _stored(event: NewEvent, stream: str, revision: int, position: int) -> StoredEvent:
    """The event as every store gives it back. What no store can hold is refused here, too."""
    meta = event.metadata
    "".join((stream, event.id, event.type, meta.correlation_id, meta.actor)).encode()
    recorded_at = parse_utc(format_utc(meta.recorded_at))
    return StoredEvent(
        position, stream, revision, event.id, event.type, event.data,
        recorded_at, meta.correlation_id, meta.causation_id, meta.actor, meta.traceparent,
    )  # fmt: skip
