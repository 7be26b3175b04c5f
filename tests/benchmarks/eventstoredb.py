"""The event store in EventStoreDB: appends and reads, beside the client library alone on the same server, which leaves
data and metadata the bytes that they are."""

import asyncio
import tempfile
import time
from asyncio import Runner
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from uuid import UUID

from esdbclient import AsyncEventStoreDBClient, NewEvent as RawEvent, StreamState

from neuroglia.core import SystemIds
from neuroglia.core.clock import format_utc
from neuroglia.event_sourcing import BEGINNING, NO_STREAM, EventMetadata, EventStore, NewEvent
from neuroglia.event_sourcing.adapters.eventstoredb import EventStoreDB
from tests.benchmarks.harness import Figure, Target, compare, in_turns
from tests.support.eventstoredb.process import StandIn

_ROUNDS: Final = 9
_APPENDS: Final = {1: 200, 64: 1_280}
_HISTORY: Final = 4_000
_PAGE: Final = 500
_TARGET: Final = Target(least_ratio=0.9)
_TYPE: Final = "bank.money-deposited.v1"
_DATA: Final = b'{"amount":{"amount":"12.50","currency":"EUR"},"balance_after":{"amount":"12.50","currency":"EUR"}}'
_NOW: Final = datetime.now(UTC)
_METADATA: Final = b'{"$correlationId":"rent","actor":"ada","recorded_at":"%s"}' % format_utc(_NOW).encode()
_IDS: Final = SystemIds()

Work = Callable[[], Awaitable[int]]
"""Tells how many events it appended or read."""


def measure() -> Sequence[Figure]:
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as loop:
        server = StandIn(Path(folder) / "log").start()
        store, client = EventStoreDB(server.url), AsyncEventStoreDBClient(server.url)
        loop.run(_prepare(store, client))
        figures = [
            *(_compare_appends(loop, store, client, callers) for callers in _APPENDS),
            _compare(loop, f"a stream of {_HISTORY:,}", lambda: _read(store), lambda: _read_raw(client)),
            _compare(loop, f"$all, {_HISTORY:,}", lambda: _read_all(store), lambda: _read_all_raw(client)),
            _compare(loop, f"$all, {_HISTORY:,} followed", lambda: _follow(store), lambda: _follow_raw(client)),
        ]
        loop.run(store.aclose())
        loop.run(client.close())
        server.kill()
    return figures


async def _prepare(store: EventStore, client: AsyncEventStoreDBClient) -> None:
    await store.open()
    await client.connect()
    await store.append("read-1", [_new_event() for _ in range(_HISTORY)], NO_STREAM)


def _compare_appends(loop: Runner, store: EventStore, client: AsyncEventStoreDBClient, callers: int) -> Figure:
    """Callers that each append to a stream of their own, one event after another."""
    each = _APPENDS[callers] // callers

    async def ours() -> int:
        await asyncio.gather(*(_append(store, f"write-{_IDS.new()}", each) for _ in range(callers)))
        return callers * each

    async def raw() -> int:
        await asyncio.gather(*(_append_raw(client, f"write-{_IDS.new()}", each) for _ in range(callers)))
        return callers * each

    return _compare(loop, f"append, {callers} at once", ours, raw)


def _compare(loop: Runner, name: str, ours: Work, raw: Work) -> Figure:
    mine, limit = in_turns([_rate(loop, ours), _rate(loop, raw)], _ROUNDS)
    return compare(f"EventStoreDB: {name} | the client library", mine, limit, _TARGET)


def _rate(loop: Runner, work: Work) -> Callable[[], float]:
    async def measure() -> float:
        start = time.perf_counter()
        count = await work()
        return count / (time.perf_counter() - start)

    return lambda: loop.run(measure())


def _new_event() -> NewEvent:
    metadata = EventMetadata(recorded_at=_NOW, correlation_id="rent", causation_id=None, actor="ada")
    return NewEvent(id=_IDS.new(), type=_TYPE, data=_DATA, metadata=metadata)


async def _append(store: EventStore, stream: str, count: int) -> None:
    for expected in range(NO_STREAM, count - 1):
        await store.append(stream, [_new_event()], expected)


async def _append_raw(client: AsyncEventStoreDBClient, stream: str, count: int) -> None:
    for expected in range(NO_STREAM, count - 1):
        event = RawEvent(id=UUID(_IDS.new()), type=_TYPE, data=_DATA, metadata=_METADATA)
        version = StreamState.NO_STREAM if expected == NO_STREAM else expected
        await client.append_to_stream(stream, current_version=version, events=[event])


async def _read(store: EventStore) -> int:
    return len([event async for event in store.read("read-1")])


async def _read_raw(client: AsyncEventStoreDBClient) -> int:
    async with await client.read_stream("read-1") as events:
        return len([event async for event in events])


async def _read_all(store: EventStore) -> int:
    """Page by page, as a rebuild reads."""
    found, after = 0, BEGINNING
    while found < _HISTORY:
        batch = await store.read_all(after=after, prefixes=["read-"], limit=_PAGE)
        found, after = found + len(batch.events), batch.events[-1].position
    return found


async def _read_all_raw(client: AsyncEventStoreDBClient) -> int:
    names = {"filter_include": ["read-.*"], "filter_by_stream_name": True}
    found, position = 0, None
    while found < _HISTORY:
        limit = _PAGE + (position is not None)
        async with await client.read_all(commit_position=position, limit=limit, **names) as page:
            events = [event async for event in page]
        found, position = found + len(events) - (position is not None), events[-1].commit_position
    return found


async def _follow(store: EventStore) -> int:
    subscription, found = store.subscribe(after=BEGINNING, prefixes=["read-"]), 0
    async for batch in subscription:
        found += len(batch.events)
        if found == _HISTORY:
            break
    await subscription.stop()
    return found


async def _follow_raw(client: AsyncEventStoreDBClient) -> int:
    names = {"filter_include": ["read-.*"], "filter_by_stream_name": True}
    found = 0
    async with await client.subscribe_to_all(**names) as subscription:
        async for _ in subscription:
            found += 1
            if found == _HISTORY:
                break
    return found
