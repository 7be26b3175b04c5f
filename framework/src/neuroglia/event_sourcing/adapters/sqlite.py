"""The embedded event store: one SQLite file, for one machine."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final

from typing_extensions import override

from neuroglia.core.clock import format_utc, parse_utc
from neuroglia.core.errors import ConcurrencyError
from neuroglia.event_sourcing.store import (
    BEGINNING,
    NO_STREAM,
    Appended,
    Batch,
    EventStore,
    EventSubscription,
    NewEvent,
    StoredEvent,
)
from neuroglia.sqlite import Database

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS events (
    position INTEGER PRIMARY KEY,
    stream TEXT NOT NULL,
    revision INTEGER NOT NULL,
    id TEXT NOT NULL,
    type TEXT NOT NULL,
    data TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    correlation_id TEXT NOT NULL,
    causation_id TEXT,
    actor TEXT NOT NULL,
    traceparent TEXT,
    UNIQUE (stream, revision)
)
"""
_COLUMNS: Final = (  # in the order of StoredEvent's fields
    "position, stream, revision, id, type, CAST(data AS BLOB), recorded_at, correlation_id, causation_id, actor,"
    " traceparent"
)
_INSERT: Final = """
INSERT INTO events (stream, revision, id, type, data, recorded_at, correlation_id, causation_id, actor, traceparent)
VALUES (?1, CASE WHEN ?2 = 0 OR EXISTS (SELECT 1 FROM events WHERE stream = ?1 AND revision = ?2 - 1) THEN ?2 END,
        ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
"""
"""The table refuses a revision that is there, and NULL for one with nothing before it: that saves a query each time."""
_PAGE: Final = 500
_POLL_S: Final = 0.25
"""How soon an append by another process is seen; those of this process wake subscriptions at once."""


class SqliteEventStore(EventStore):
    """Streams in one table, whose primary key is the log's order. There is one writer, so readers see no gaps."""

    def __init__(self, path: str) -> None:
        self._database = Database(path)
        self._subscriptions: set[_SqliteSubscription] = set()

    @override
    async def open(self) -> None:
        await self._database.open(_SCHEMA)

    @override
    async def aclose(self) -> None:
        for subscription in list(self._subscriptions):
            await subscription.stop()
        await self._database.aclose()

    @override
    async def ping(self) -> None:
        await self._database.read(lambda connection: connection.execute("SELECT 1 FROM events LIMIT 1").fetchone())

    @override
    async def append(self, stream: str, events: Sequence[NewEvent], expected: int) -> Appended:
        appended = await self._database.write(lambda connection: _append(connection, stream, events, expected))
        for subscription in self._subscriptions:
            subscription.wake()
        return appended

    @override
    async def read(self, stream: str, *, after: int = -1, limit: int | None = None) -> AsyncIterator[StoredEvent]:
        left = limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(_PAGE, left)
            page = await self._select("stream = ? AND revision > ? ORDER BY revision LIMIT ?", stream, after, size)
            for event in page:
                yield event
            if len(page) < size:
                return
            after = page[-1].revision
            left = None if left is None else left - size

    @override
    async def read_all(self, *, after: int = BEGINNING, prefixes: Sequence[str] = (), limit: int = _PAGE) -> Batch:
        where, parameters = _matching(prefixes)
        events = await self._select(f"position > ? AND {where} ORDER BY position LIMIT ?", after, *parameters, limit)
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
        where, parameters = _matching(prefixes)
        sql = f"SELECT position FROM events WHERE position <= ? AND {where} ORDER BY position DESC LIMIT 1"  # noqa: S608
        row = await self._database.read(lambda connection: connection.execute(sql, (at_most, *parameters)).fetchone())
        return BEGINNING if row is None else int(row[0])

    def forget(self, subscription: "_SqliteSubscription") -> None:
        """Takes a stopped subscription off the list of those to wake."""
        self._subscriptions.discard(subscription)

    async def _select(self, where: str, *parameters: object) -> list[StoredEvent]:
        sql = f"SELECT {_COLUMNS} FROM events WHERE {where}"  # noqa: S608 - our own text; values are parameters
        return await self._database.read(lambda connection: _stored(connection.execute(sql, parameters)))


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
            try:
                async with asyncio.timeout(_POLL_S):
                    await self._wake.wait()
            except TimeoutError:
                continue
        raise StopAsyncIteration


def _append(connection: sqlite3.Connection, stream: str, events: Sequence[NewEvent], expected: int) -> Appended:
    if not events and (actual := _revision(connection, stream)) != expected:
        raise ConcurrencyError(stream, expected, actual)
    position = BEGINNING
    for revision, event in enumerate(events, expected + 1):
        meta = event.metadata
        values = (
            stream, revision, event.id, event.type, event.data.decode(), format_utc(meta.recorded_at),
            meta.correlation_id, meta.causation_id, meta.actor, meta.traceparent,
        )  # fmt: skip
        try:
            position = connection.execute(_INSERT, values).lastrowid or position
        except sqlite3.IntegrityError:
            if (actual := _revision(connection, stream)) == revision - 1:
                raise  # its place is free: something else is wrong with it
            return _repeated(connection, stream, events, expected, actual)
    return Appended(expected + len(events), position)


def _revision(connection: sqlite3.Connection, stream: str) -> int:
    sql = "SELECT revision FROM events WHERE stream = ? ORDER BY revision DESC LIMIT 1"
    (revision,) = connection.execute(sql, (stream,)).fetchone() or (NO_STREAM,)
    return int(revision)


def _repeated(
    connection: sqlite3.Connection, stream: str, events: Sequence[NewEvent], expected: int, actual: int
) -> Appended:
    """The answer of the first time, if these very events already stand behind `expected`."""
    rows = connection.execute(
        "SELECT id, revision, position FROM events WHERE stream = ? AND revision > ? ORDER BY revision LIMIT ?",
        (stream, expected, len(events)),
    ).fetchall()
    if [row[0] for row in rows] != [event.id for event in events]:
        raise ConcurrencyError(stream, expected, actual)
    return Appended(rows[-1][1], rows[-1][2])


def _matching(prefixes: Sequence[str]) -> tuple[str, list[str | int]]:
    if not prefixes:
        return "TRUE", []
    # not LIKE: no wildcards to escape; no index either, for a scan in the log's order ends with the page
    where = " OR ".join("substr(stream, 1, ?) = ?" for _ in prefixes)
    return f"({where})", [part for prefix in prefixes for part in (len(prefix), prefix)]


def _stored(rows: Iterable[tuple[Any, ...]]) -> list[StoredEvent]:
    return [  # spelled out: half as long as anything shorter, and a stream can be thousands of them
        StoredEvent._make(
            (position, stream, revision, id_, type_, data, parse_utc(at), correlation, cause, actor, trace)
        )
        for position, stream, revision, id_, type_, data, at, correlation, cause, actor, trace in rows
    ]
