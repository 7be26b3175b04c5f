"""EventStoreDB (or KurrentDB): the event store for more than one machine.

It needs version 23.10 or later, and `MaxAppendSize` (1 MiB unless set) bounds what one append holds. Positions are
those of `$all`. Deleted and truncated streams are read as what is left of them; system events are passed over.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final

import tenacity
from pydantic import AwareDatetime, BaseModel, Field, PlainSerializer
from typing_extensions import override

from neuroglia.core.clock import format_utc
from neuroglia.core.errors import ConcurrencyError, ConfigurationError, Unavailable
from neuroglia.event_sourcing.adapters.esdb_client import Client, Recorded, WrongRevision
from neuroglia.event_sourcing.adapters.woken import WokenSubscription
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
    repeated,
)

_PAUSE_S: Final = 0.1
_TRIES: Final = 6
"""After so many, in about five seconds, whoever reads a subscription is told; the next read tries again."""


class EventStoreDB(EventStore):
    """Streams on a server or cluster, at a URL `esdb://…` or `esdb+discover://…`."""

    def __init__(self, url: str) -> None:
        self._client = Client(url)
        self._subscriptions: set[WokenSubscription] = set()

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
            found = await self.read_page(stream, after=expected, limit=len(events))
            return repeated(found.events, events, stream, expected, *wrong.args)
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
    async def at(self, position: int) -> StoredEvent | None:
        page = await self._client.log((), start=position, limit=1)
        return _stored(page[0]) if page and _position(page[0]) == position else None

    @override
    def subscribe(self, *, after: int, prefixes: Sequence[str]) -> EventSubscription:
        return _Subscription(self, after, prefixes, self._subscriptions, self._client)

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


class _Subscription(WokenSubscription):
    """Once it has caught up, a feed from the end of the log tells when there is more to read."""

    def __init__(
        self, store: EventStore, after: int, prefixes: Sequence[str], all_: set[WokenSubscription], client: Client
    ) -> None:
        super().__init__(store, after, prefixes, all_)
        self._client = client
        self._bell: asyncio.Task[None] | None = None

    @override
    async def stop(self) -> None:
        await super().stop()
        if self._bell is not None:
            self._bell.cancel()
            await asyncio.gather(self._bell, return_exceptions=True)

    @override
    async def _read(self) -> Batch:
        trying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(Unavailable),
            wait=tenacity.wait_exponential_jitter(multiplier=_PAUSE_S, max=2.0, jitter=_PAUSE_S),
            stop=lambda tried: self._stopped or tried.attempt_number >= _TRIES,
            reraise=True,
        )
        try:
            return await trying(super()._read)
        except Unavailable:
            if self._stopped:
                raise StopAsyncIteration from None
            raise

    @override
    async def _wait(self) -> None:
        if not self._stopped and (self._bell is None or self._bell.done()):
            self._bell = asyncio.create_task(self._ring())
        await self._woken.wait()

    async def _ring(self) -> None:
        """Wakes the reader when the feed has begun, for what came before; at each event; and when the feed ends: the
        reader then meets the outage, is patient, and asks for another feed."""
        try:
            async with self._client.following(self._prefixes) as feed:
                async for _ in feed:
                    self.wake()
        except Unavailable:
            await asyncio.sleep(_PAUSE_S)
        finally:
            self.wake()


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
    recorded_at: Annotated[AwareDatetime, PlainSerializer(format_utc)] | None = None


def _metadata(metadata: EventMetadata) -> bytes:
    format_utc(metadata.recorded_at)  # tells what is wrong with a naive time
    known = _Metadata.model_validate(metadata, from_attributes=True, by_name=True)
    return known.model_dump_json(by_alias=True, exclude_none=True).encode()


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
