"""An event store for tests: plain lists, which keep the port's whole contract but for durability."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice

from typing_extensions import override

from neuroglia.core.clock import format_utc, parse_utc
from neuroglia.core.errors import ConcurrencyError, Unavailable
from neuroglia.event_sourcing import (
    BEGINNING,
    Appended,
    Batch,
    EventStore,
    EventSubscription,
    NewEvent,
    StoredEvent,
)


class InMemoryEventStore(EventStore):
    """Keeps its events for as long as the object lives, so a service can be stopped and started on it again.

    Every call lets other tasks run before it takes effect, as a real store does while one waits for it: what
    races in production can race in a test.
    """

    def __init__(self) -> None:
        self.is_open = False
        self.grown = asyncio.Event()
        """Set, and replaced by a new one, when there is something new to see."""
        self._log: list[StoredEvent] = []  # positions count from 1
        self._streams: dict[str, list[StoredEvent]] = {}

    @override
    async def open(self) -> None:
        self.is_open = True

    @override
    async def aclose(self) -> None:
        self.is_open = False
        self.wake()

    @override
    async def ping(self) -> None:
        if not self.is_open:
            raise Unavailable("the event store is closed")
        await asyncio.sleep(0)

    def wake(self) -> None:
        """Makes the subscriptions look again."""
        self.grown.set()
        self.grown = asyncio.Event()

    @override
    async def append(self, stream: str, events: Sequence[NewEvent], expected: int) -> Appended:
        await self.ping()
        known = self._streams.get(stream, [])
        if expected != len(known) - 1:
            again = known[expected + 1 : expected + 1 + len(events)]
            if not events or [event.id for event in again] != [event.id for event in events]:
                raise ConcurrencyError(stream, expected, len(known) - 1)
            return Appended(again[-1].revision, again[-1].position)
        revision, position = len(known), len(self._log)
        stored = [_stored(event, stream, revision + n, position + n + 1) for n, event in enumerate(events)]
        self._log += stored
        self._streams[stream] = [*known, *stored]
        self.wake()
        return Appended(expected + len(events), stored[-1].position if stored else BEGINNING)

    @override
    async def read(self, stream: str, *, after: int = -1, limit: int | None = None) -> AsyncIterator[StoredEvent]:
        await self.ping()
        for event in self._streams.get(stream, [])[after + 1 :][:limit]:
            yield event

    @override
    async def read_all(self, *, after: int = BEGINNING, prefixes: Sequence[str] = (), limit: int = 500) -> Batch:
        await self.ping()
        events = list(islice(_of(prefixes, self._log[max(after, 0) :]), limit))
        return Batch(events, caught_up=len(events) < limit)

    @override
    def subscribe(self, *, after: int, prefixes: Sequence[str]) -> EventSubscription:
        return _Subscription(self, after, prefixes)

    @override
    async def head(self) -> int:
        await self.ping()
        return len(self._log) or BEGINNING

    @override
    async def last_position(self, *, prefixes: Sequence[str], at_most: int) -> int:
        await self.ping()
        return next((event.position for event in _of(prefixes, self._log[: max(at_most, 0)][::-1])), BEGINNING)


class _Subscription(EventSubscription):
    def __init__(self, store: InMemoryEventStore, after: int, prefixes: Sequence[str]) -> None:
        self._store, self._after, self._prefixes = store, after, prefixes
        self._told_caught_up = False
        self._stopped = False

    @override
    async def stop(self) -> None:
        self._stopped = True
        self._store.wake()

    @override
    async def __anext__(self) -> Batch:
        while self._store.is_open and not self._stopped:
            grown = self._store.grown  # that of before the look, so that nothing is missed
            batch = await self._store.read_all(after=self._after, prefixes=self._prefixes)
            if batch.events or not self._told_caught_up:
                self._after = batch.events[-1].position if batch.events else self._after
                self._told_caught_up = batch.caught_up
                return batch
            await grown.wait()
        raise StopAsyncIteration


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
