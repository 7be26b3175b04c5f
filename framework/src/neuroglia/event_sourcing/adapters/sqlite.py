"""The embedded event store: one SQLite file, for one machine."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, suppress
from functools import partial
from typing import Final

from typing_extensions import override

from neuroglia.core.errors import Unavailable
from neuroglia.event_sourcing.adapters.sqlite_log import SCHEMA, append, last_position, log_events, stream_events
from neuroglia.event_sourcing.store import (
    BEGINNING,
    Appended,
    Batch,
    EventStore,
    EventSubscription,
    NewEvent,
    StoredEvent,
)
from neuroglia.sqlite import Database

_PAGE: Final = 500
_SAFETY_S: Final = 5.0
"""How often a subscription that nobody wakes looks by itself: for file systems that do not notify."""


class SqliteEventStore(EventStore):
    """Streams in one table, whose primary key is the log's order. There is one writer, so readers see no gaps.

    An append wakes this object's subscriptions itself. For those of other processes a task looks where the log ends
    after a commit.
    """

    def __init__(self, path: str) -> None:
        self._database = Database(path)
        self._subscriptions: set[_SqliteSubscription] = set()
        self._seen = BEGINNING
        self._looking: asyncio.Task[None] | None = None

    @override
    async def open(self) -> None:
        await self._database.open(SCHEMA)

    @override
    async def aclose(self) -> None:
        for subscription in list(self._subscriptions):
            await subscription.stop()
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])
            self._looking = None
        await self._database.aclose()

    @override
    async def ping(self) -> None:
        await self._database.ping("events")

    @override
    async def append(self, stream: str, events: Sequence[NewEvent], expected: int) -> Appended:
        appended = await self._database.write(partial(append, stream=stream, events=events, expected=expected))
        self._wake(appended.position)
        return appended

    @override
    async def read(self, stream: str, *, after: int = -1, limit: int | None = None) -> AsyncIterator[StoredEvent]:
        left = limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(_PAGE, left)
            page = await self._database.read(partial(stream_events, stream=stream, after=after, limit=size))
            for event in page:
                yield event
            if len(page) < size:
                return
            after = page[-1].revision
            left = None if left is None else left - size

    @override
    async def read_all(self, *, after: int = BEGINNING, prefixes: Sequence[str] = (), limit: int = _PAGE) -> Batch:
        events = await self._database.read(partial(log_events, prefixes=prefixes, after=after, limit=limit))
        return Batch(events, caught_up=len(events) < limit)

    @override
    def subscribe(self, *, after: int, prefixes: Sequence[str]) -> EventSubscription:
        subscription = _SqliteSubscription(self, after, prefixes)
        self._subscriptions.add(subscription)
        return subscription

    @override
    async def head(self) -> int:
        return await self.last_position(prefixes=(), at_most=2**63 - 1)

    @override
    async def last_position(self, *, prefixes: Sequence[str], at_most: int) -> int:
        return await self._database.read(partial(last_position, prefixes=prefixes, at_most=at_most))

    def follow(self) -> None:
        """Sees to it that appends of other processes wake subscriptions, too."""
        if self._looking is None and not self._database.in_memory:
            self._looking = asyncio.create_task(self._look_for_others())

    async def _look_for_others(self) -> None:
        async with aclosing(self._database.changes()) as changes:
            async for _ in changes:
                try:
                    head = await self.head()
                except Unavailable:  # whoever reads on shall meet it and tell
                    self._wake(self._seen)
                else:
                    if head > self._seen:
                        self._wake(head)

    def _wake(self, position: int) -> None:
        self._seen = max(self._seen, position)
        for subscription in self._subscriptions:
            subscription.wake()

    def forget(self, subscription: "_SqliteSubscription") -> None:
        """Takes a stopped subscription off the list of those to wake."""
        self._subscriptions.discard(subscription)


class _SqliteSubscription(EventSubscription):
    def __init__(self, store: SqliteEventStore, after: int, prefixes: Sequence[str]) -> None:
        self._store = store
        self._after = after
        self._prefixes = prefixes
        self._wake = asyncio.Event()
        self._told_caught_up = False
        self._stopped = False

    def wake(self) -> None:
        """Tells that there may be new events."""
        self._wake.set()

    @override
    async def stop(self) -> None:
        self._stopped = True
        self._wake.set()
        self._store.forget(self)

    @override
    async def __anext__(self) -> Batch:
        while not self._stopped:
            self._wake.clear()
            batch = await self._store.read_all(after=self._after, prefixes=self._prefixes)
            if batch.events:
                self._after = batch.events[-1].position
            if batch.events or not self._told_caught_up:
                self._told_caught_up = batch.caught_up
                return batch
            if not self._stopped:
                self._store.follow()
            with suppress(TimeoutError):
                async with asyncio.timeout(_SAFETY_S):
                    await self._wake.wait()
        raise StopAsyncIteration
