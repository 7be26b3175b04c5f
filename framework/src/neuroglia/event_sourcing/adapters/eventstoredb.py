"""EventStoreDB (or KurrentDB): the event store for more than one machine.

It needs version 23.10 or later, and `MaxAppendSize` (1 MiB unless set) bounds what one append holds. Positions are
those of `$all`. Deleted and truncated streams are read as what is left of them; system events are passed over.
"""

import asyncio
import json
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import tenacity
from pydantic import AwareDatetime, BaseModel, Field
from typing_extensions import override

from neuroglia.core.clock import format_utc
from neuroglia.core.errors import ConcurrencyError, ConfigurationError, Unavailable
from neuroglia.event_sourcing.adapters.esdb_client import (
    Client,
    Recorded,
    WrongRevision,
    telling_ends,
)
from neuroglia.event_sourcing.store import (
    BEGINNING,
    NO_STREAM,
    PAGE,
    Appended,
    Batch,
    EventMetadata,
    EventStore,
    EventSubscription,
    NewEvent,
    StoredEvent,
)

_GATHER_S: Final = 0.05
"""How long a batch of history waits to be filled."""
_PAUSE_S: Final = 0.1
_TRIES: Final = 6
"""After so many, in about five seconds, whoever reads a subscription is told; the next read tries again."""


class EventStoreDB(EventStore):
    """Streams on a server or cluster, at a URL `esdb://…` or `esdb+discover://…`."""

    def __init__(self, url: str) -> None:
        self._client = Client(url)
        self._subscriptions: set[_Subscription] = set()

    @override
    async def open(self) -> None:
        await self._client.connect()
        await self.ping()

    @override
    async def aclose(self) -> None:
        for subscription in list(self._subscriptions):
            await subscription.stop()
        await self._client.close()

    @override
    async def ping(self) -> None:
        await self.head()

    @override
    async def append(self, stream: str, events: Sequence[NewEvent], expected: int) -> Appended:
        if not events:
            last = await self._client.stream(stream, backwards=True)
            if (actual := last[0].stream_position if last else NO_STREAM) != expected:
                raise ConcurrencyError(stream, expected, actual)
            return Appended(expected, BEGINNING)
        new = [(event.id, event.type, event.data, _metadata(event.metadata)) for event in events]
        "".join(event.type for event in events).encode()  # refuses half a character, which no store can hold
        try:
            position = await self._client.append(stream, new, None if expected == NO_STREAM else expected)
        except WrongRevision as wrong:
            return await self._repeated(stream, events, expected, *wrong.args)
        revision = expected + len(events)
        if expected == NO_STREAM:  # a stream that somebody deleted begins anew where it ended
            page = await self._client.stream(stream)
            revision += page[0].stream_position if page and str(page[0].id) == events[0].id else 0
        return Appended(revision, position)

    @override
    async def read_page(self, stream: str, *, after: int, limit: int) -> Batch:
        while True:
            page = await self._client.stream(stream, after=after, limit=limit)
            events = list(filter(None, map(_stored, page)))
            if events or len(page) < limit:
                return Batch(events, caught_up=len(page) < limit)
            after = page[-1].stream_position

    @override
    async def read_all(self, *, after: int = BEGINNING, prefixes: Sequence[str] = (), limit: int = PAGE) -> Batch:
        while True:
            start = None if after == BEGINNING else after
            page = await self._client.log(prefixes, start=start, limit=limit + 1)  # `start` comes back, if it matches
            events = [event for event in filter(None, map(_stored, page)) if event.position > after]
            if events or len(page) <= limit:
                return Batch(events[:limit], caught_up=len(page) <= limit)
            after = _position(page[-1])

    @override
    def subscribe(self, *, after: int, prefixes: Sequence[str]) -> EventSubscription:
        return _Subscription(self._client, after, prefixes, self._subscriptions)

    @override
    async def last_position(self, *, prefixes: Sequence[str], at_most: int) -> int:
        start, size = None, 1  # from the end, for the server starts at records' positions only, and this may be any
        while True:
            page = await self._client.log(prefixes, start=start, limit=size, backwards=True)
            for event in page:
                if _position(event) <= at_most and not event.is_system_event:
                    return _position(event)
            if len(page) < size:
                return BEGINNING
            start, size = _position(page[-1]), PAGE

    async def _repeated(self, stream: str, events: Sequence[NewEvent], expected: int, actual: int) -> Appended:
        """The answer of the first time, if these very events already stand behind `expected`."""
        page = await self._client.stream(stream, after=expected, limit=len(events))
        if [str(event.id) for event in page] != [event.id for event in events]:
            raise ConcurrencyError(stream, expected, actual)
        return Appended(page[-1].stream_position, _position(page[-1]))


class _Subscription(EventSubscription):
    """A task reads ahead, and connects anew from behind what it has read; so whoever reads here can be cancelled."""

    def __init__(self, client: Client, after: int, prefixes: Sequence[str], others: "set[_Subscription]") -> None:
        self._client = client
        self._after = after
        self._prefixes = prefixes
        self._others = others
        others.add(self)
        self._read: deque[StoredEvent] = deque()
        self._changed = asyncio.Event()
        self._room = asyncio.Event()
        self._live = self._told_caught_up = self._stopped = False
        self._ahead: asyncio.Task[None] | None = None

    @override
    async def stop(self) -> None:
        self._stopped = True
        self._others.discard(self)
        self._changed.set()
        if self._ahead is not None:
            self._ahead.cancel()
            await asyncio.gather(self._ahead, return_exceptions=True)

    @override
    async def __anext__(self) -> Batch:
        while not self._stopped:
            if self._ahead is None:
                self._ahead = asyncio.create_task(self._read_ahead())
                self._ahead.add_done_callback(lambda _: self._changed.set())
            self._changed.clear()
            if self._live or len(self._read) >= PAGE or self._ahead.done():
                if self._read or (self._live and not self._told_caught_up):
                    return self._batch()
                if self._ahead.done():
                    failed, self._ahead = self._ahead, None
                    await failed
                    continue
            try:
                async with asyncio.timeout(_GATHER_S if self._read else None):
                    await self._changed.wait()
            except TimeoutError:
                return self._batch()
        raise StopAsyncIteration

    def _batch(self) -> Batch:
        events = [self._read.popleft() for _ in range(min(len(self._read), PAGE))]
        self._room.set()
        self._told_caught_up = self._live and not self._read
        return Batch(events, caught_up=self._told_caught_up)

    async def _read_ahead(self) -> None:
        following = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(Unavailable),
            wait=tenacity.wait_exponential_jitter(multiplier=_PAUSE_S, max=2.0, jitter=_PAUSE_S),
            stop=tenacity.stop_after_attempt(_TRIES),
            reraise=True,
        )
        while True:
            await following(self._follow)
            await asyncio.sleep(_PAUSE_S)

    async def _follow(self) -> None:
        """Returns when a connection breaks. Raises Unavailable if nothing came over it."""
        came = False
        try:
            feed = await self._client.follow(self._prefixes, after=None if self._after == BEGINNING else self._after)
            async with telling_ends(feed):
                async for event in feed:
                    came = True
                    await self._take(event)
        except Unavailable:
            self._live = False
            if not came:
                raise

    async def _take(self, event: Recorded) -> None:
        if event.is_caught_up:
            self._live = True
        else:
            if (stored := _stored(event)) is not None:
                self._read.append(stored)
            self._after = _position(event)
        if self._live or len(self._read) in {1, PAGE}:  # of a long history, whoever reads is not told of each event
            self._changed.set()
        while len(self._read) >= 2 * PAGE:
            self._room.clear()
            await self._room.wait()


def _position(event: Recorded) -> int:
    if event.commit_position is None:
        raise ConfigurationError("EVENT_STORE_URL: this server is too old, version 23.10 is needed")
    return event.commit_position


class _Metadata(BaseModel):
    """The names with a dollar are those by which the server's own tools follow causes."""

    correlation_id: str = Field(default="", alias="$correlationId")
    causation_id: str | None = Field(default=None, alias="$causationId")
    actor: str = ""
    traceparent: str | None = None
    recorded_at: AwareDatetime | None = None


def _metadata(metadata: EventMetadata) -> bytes:
    values = {
        "$correlationId": metadata.correlation_id,
        "$causationId": metadata.causation_id,
        "actor": metadata.actor,
        "traceparent": metadata.traceparent,
        "recorded_at": format_utc(metadata.recorded_at),
    }
    return json.dumps({name: value for name, value in values.items() if value is not None}, ensure_ascii=False).encode()


def _stored(event: Recorded) -> StoredEvent | None:
    """The event as the port tells it; None for what belongs to the system: links, tombstones."""
    if event.is_system_event:
        return None
    try:
        known = _Metadata.model_validate_json(event.metadata)
    except ValueError:  # others write into the same store
        known = _Metadata()
    return StoredEvent(
        _position(event), event.stream_name, event.stream_position, str(event.id), event.type, event.data,
        known.recorded_at or event.recorded_at or datetime.fromtimestamp(0, UTC), known.correlation_id,
        known.causation_id, known.actor, known.traceparent,
    )  # fmt: skip
