"""The embedded event store: one SQLite file, for one machine."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from functools import partial

from typing_extensions import override

from neuroglia.core.errors import Unavailable
from neuroglia.event_sourcing.adapters.sqlite_log import SCHEMA, append, last_position, log_events, stream_events
from neuroglia.event_sourcing.adapters.woken import WokenSubscription
from neuroglia.event_sourcing.store import BEGINNING, PAGE, Appended, Batch, EventStore, EventSubscription, NewEvent
from neuroglia.sqlite import Database


class SqliteEventStore(EventStore):
    """Streams in one table, whose primary key is the log's order. There is one writer, so readers see no gaps.

    An append wakes this object's subscriptions itself. For those of other processes a task looks where the log ends
    after a commit.
    """

    def __init__(self, path: str) -> None:
        self._database = Database(path)
        self._subscriptions: set[WokenSubscription] = set()
        self._seen = BEGINNING
        self._looking: asyncio.Task[None] | None = None

    @override
    async def open(self) -> None:
        self.reached = BEGINNING
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
    async def read_page(self, stream: str, *, after: int, limit: int) -> Batch:
        events = await self._database.read(partial(stream_events, stream=stream, after=after, limit=limit))
        return Batch(events, caught_up=len(events) < limit)

    @override
    async def read_all(self, *, after: int = BEGINNING, prefixes: Sequence[str] = (), limit: int = PAGE) -> Batch:
        events = await self._database.read(partial(log_events, prefixes=prefixes, after=after, limit=limit))
        return Batch(events, caught_up=len(events) < limit)

    @override
    def subscribe(self, *, after: int, prefixes: Sequence[str]) -> EventSubscription:
        if self._looking is None and self._database.is_open and not self._database.in_memory:
            self._looking = asyncio.create_task(self._look_for_others())
        return WokenSubscription(self, after, prefixes, self._subscriptions)

    @override
    async def last_position(self, *, prefixes: Sequence[str], at_most: int) -> int:
        return await self._database.read(partial(last_position, prefixes=prefixes, at_most=at_most))

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
