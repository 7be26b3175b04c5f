"""The one module that knows the client library: `esdbclient`, whose place `kurrentdbclient` can take here.

What it does around each call, because that library does not:

* Its iterators end quietly when they are cut short: by a cancelled task, or by another task's reconnection. What ends
  otherwise than the server ended it is an error here, so that half a stream never passes for a whole one.
* Reads do not look for a new leader; writes do.
* It asks nobody whether a silent connection is still there.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import Any, Final, TypeAlias
from uuid import UUID

from esdbclient import AsyncEventStoreDBClient, NewEvent, RecordedEvent, StreamState
from esdbclient.connection_spec import NODE_PREFERENCE_LEADER
from esdbclient.exceptions import (
    CancelledByClient,
    EventStoreDBClientException,
    MaximumAppendSizeExceededError,
    NodeIsNotLeader,
    NotFound,
    ServiceUnavailable,
    StreamIsDeleted,
    WrongCurrentVersion,
)
from esdbclient.streams import AsyncReadResponse

from neuroglia.core.errors import ConfigurationError, Unavailable

_DEADLINE_S: Final = 5.0
_LIMIT_S: Final = 15.0
"""For all tries of a call together, with the search for a leader in between."""
_CHANNEL: Final = (
    ("grpc.keepalive_time_ms", 10_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    ("grpc.use_local_subchannel_pool", 1),  # a new channel tries at once: it inherits no other's back-off
)

Recorded: TypeAlias = RecordedEvent


class WrongRevision(Exception):
    """The stream is at another revision than expected: the argument; or its name can never be used again: -1."""


class Client:
    """Calls with deadlines. All raise Unavailable when the server does not work, which tells nothing of the data."""

    def __init__(self, url: str) -> None:
        try:
            self._client = AsyncEventStoreDBClient(url)
            if self._client.connection_spec.options.NodePreference != NODE_PREFERENCE_LEADER:
                raise ValueError("NodePreference has to be leader: another node may not have what was appended yet")
        except ValueError as error:
            raise ConfigurationError(f"EVENT_STORE_URL: {error}") from None
        self._client.grpc_options += _CHANNEL
        self._connections, self._open = 0, False
        self._connecting = asyncio.Lock()

    async def connect(self) -> None:
        """Looks for the node to talk to, if there are several."""
        async with _calling():
            await self._client.connect()
            self._open = True

    async def close(self) -> None:
        """Ends the connection. Calls then fail: the library would silently connect anew."""
        self._open = False
        await self._client.close()

    async def append(self, stream: str, events: Sequence[tuple[str, str, bytes, bytes]], expected: int | None) -> int:
        """Appends events (id, type, data, metadata) behind a revision, None when there must be no stream.

        Returns the log position of the last one.

        Raises:
            WrongRevision: it is at another revision, or ended for ever.
            ValueError: the server takes less in one append; or an id is no UUID.
        """
        new = [NewEvent(id=UUID(id), type=type, data=data, metadata=meta) for id, type, data, meta in events]
        version = StreamState.NO_STREAM if expected is None else expected
        async with _calling(is_open=self._open):
            try:
                return await self._client.append_to_stream(
                    stream, current_version=version, events=new, timeout=_DEADLINE_S
                )
            except (WrongCurrentVersion, StreamIsDeleted) as wrong:  # the server decides before others can read it
                actual = re.match(r"Stream position of last event is (\d+)", str(wrong))
                raise WrongRevision(int(actual[1]) if actual else -1) from None
            except MaximumAppendSizeExceededError:
                raise ValueError("the events are larger than the event store takes in one append") from None

    async def stream(
        self, name: str, *, after: int = -1, limit: int = 1, backwards: bool = False
    ) -> Sequence[Recorded]:
        """Events of a stream behind a revision, or its last ones, the latest first; nothing where there is none."""
        start = None if after < 0 else after + 1
        options: dict[str, Any] = {"stream_position": start, "backwards": backwards, "limit": limit}
        return await self._whole(lambda: self._client.read_stream(name, timeout=_DEADLINE_S, **options))

    async def log(
        self, prefixes: Sequence[str], *, start: int | None = None, limit: int, backwards: bool = False
    ) -> Sequence[Recorded]:
        """Events of the log. `start`, where a record must stand, is included forwards and not included backwards.

        Among the events of others, the next one may be far. So forwards it may take as long as it likes, provided that
        the server answers something else meanwhile.
        """
        seconds = _DEADLINE_S if backwards else None
        more: dict[str, Any] = {"commit_position": start, "backwards": backwards, "limit": limit, **_filter(prefixes)}
        return await self._whole(lambda: self._client.read_all(timeout=seconds, **more), patient=not backwards)

    @asynccontextmanager
    async def following(self, prefixes: Sequence[str]) -> AsyncGenerator[AsyncIterator[Recorded]]:
        """A feed of what is appended from now on; it begins with word that it has caught up. Its end is always an
        error: Unavailable, if its task was not cancelled. It has no deadline, but its beginning has."""
        async with _calling(is_open=self._open):
            feed = await self._client.subscribe_to_all(from_end=True, include_caught_up=True, **_filter(prefixes))
        async with feed, _calling(limit=None):
            yield feed
            raise CancelledByClient

    @asynccontextmanager
    async def _put_off(self, deadline: asyncio.Timeout) -> AsyncGenerator[None]:
        """Puts a deadline off, again and again, as long as the server answers."""

        async def ask() -> None:
            while True:
                await asyncio.sleep(_LIMIT_S / 3)
                await self.log((), limit=1, backwards=True)
                deadline.reschedule(asyncio.get_running_loop().time() + _LIMIT_S)

        asking = asyncio.create_task(ask())
        try:
            yield
        finally:
            asking.cancel()
            await asyncio.wait([asking])

    async def _whole(
        self, read: Callable[[], Awaitable[AsyncReadResponse]], *, patient: bool = False
    ) -> Sequence[Recorded]:
        async with _calling(_LIMIT_S, is_open=self._open) as end, self._put_off(end) if patient else nullcontext():
            connection = self._connections
            try:
                return await _to_the_end(await read())
            except (NodeIsNotLeader, ServiceUnavailable) as error:
                async with self._connecting, asyncio.timeout(_LIMIT_S):
                    if connection == self._connections:  # else somebody else has done it
                        leader = error.leader_grpc_target if isinstance(error, NodeIsNotLeader) else None
                        await self._client.reconnect(leader)
                        self._connections += 1
                return await _to_the_end(await read())


async def _to_the_end(response: AsyncReadResponse) -> Sequence[Recorded]:
    async with response:
        try:
            events = [event async for event in response]
        except (NotFound, StreamIsDeleted):
            return []
        call: Any = response.aio_call
        if (await call.code()).name != "OK":
            raise CancelledByClient
    return events


@asynccontextmanager
async def _calling(limit: float | None = _LIMIT_S, *, is_open: bool = True) -> AsyncGenerator[asyncio.Timeout]:
    if not is_open:
        raise Unavailable("The event store is closed.")
    task = asyncio.current_task()
    cancelled = task.cancelling() if task is not None else 0
    try:
        async with asyncio.timeout(limit) as deadline:
            try:
                yield deadline
            except (CancelledByClient, asyncio.CancelledError):
                if task is not None and task.cancelling() > cancelled:  # the library does not always pass this on
                    raise asyncio.CancelledError from None
                raise Unavailable("The connection to the event store was closed.") from None
    except (EventStoreDBClientException, TimeoutError) as error:
        raise Unavailable("The event store does not answer.") from error
    if task is not None and task.cancelling() > cancelled:
        raise asyncio.CancelledError  # the library has lost it


def _filter(prefixes: Sequence[str]) -> dict[str, Any]:
    """What the server should tell: streams by their names; without prefixes, all events but the system's."""
    if not prefixes:
        return {}
    names = "|".join(map(re.escape, prefixes))
    return {"filter_by_stream_name": True, "filter_include": [rf"(?:{names})[\s\S]*"]}
