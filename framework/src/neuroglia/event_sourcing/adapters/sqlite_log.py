"""The table of the embedded event store, and the statements on it."""

import sqlite3
from collections.abc import Sequence
from typing import Final, Literal

from neuroglia.core.clock import format_utc, parse_utc
from neuroglia.core.errors import ConcurrencyError
from neuroglia.event_sourcing.store import BEGINNING, NO_STREAM, Appended, NewEvent, StoredEvent, repeated

_CATEGORY: Final = "substr(stream, 1, instr(stream, '-'))"
SCHEMA: Final = f"""
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
);
CREATE INDEX IF NOT EXISTS events_by_category ON events ({_CATEGORY})
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


def append(connection: sqlite3.Connection, stream: str, events: Sequence[NewEvent], expected: int) -> Appended:
    """See `EventStore.append`."""
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
            found = stream_events(connection, stream, after=expected, limit=len(events))
            return repeated(found, events, stream, expected, actual)
    return Appended(expected + len(events), position)


def stream_events(connection: sqlite3.Connection, stream: str, after: int, limit: int) -> list[StoredEvent]:
    """The next events of a stream."""
    sql = f"SELECT {_COLUMNS} FROM events WHERE stream = ? AND revision > ? ORDER BY revision LIMIT ?"  # noqa: S608
    return _stored(connection.execute(sql, (stream, after, limit)))


def log_events(connection: sqlite3.Connection, prefixes: Sequence[str], after: int, limit: int) -> list[StoredEvent]:
    """The next events of the log."""
    sql, parameters = log_query(_COLUMNS, prefixes, ">")
    return _stored(connection.execute(sql, (after, limit, *parameters)))


def last_position(connection: sqlite3.Connection, prefixes: Sequence[str], at_most: int) -> int:
    """See `EventStore.last_position`."""
    sql, parameters = log_query("position", prefixes, "<=")
    (position,) = connection.execute(sql, (at_most, 1, *parameters)).fetchone() or (BEGINNING,)
    return int(position)


def log_query(columns: str, prefixes: Sequence[str], beside: Literal[">", "<="]) -> tuple[str, Sequence[str]]:
    """A query of the log to one side of position ?1, from there on, at most ?2 rows; and its further parameters.

    Prefixes that are whole categories are found by the index, which has each one in the log's order: SQLite merges
    them as they come. For others it goes through the log itself. (Not LIKE: there are wildcards to escape.)
    """
    select = f"SELECT {columns} FROM events WHERE position {beside} ?1"  # noqa: S608 - our own text
    wanted = list(dict.fromkeys(prefixes))
    if not wanted:
        selects = [select]
    elif all(0 <= prefix.find("-") == len(prefix) - 1 for prefix in wanted):
        selects = [f"{select} AND {_CATEGORY} = ?{number}" for number, _ in enumerate(wanted, 3)]
    else:
        matches = [f"substr(stream, 1, {len(prefix)}) = ?{number}" for number, prefix in enumerate(wanted, 3)]
        selects = [f"{select} AND ({' OR '.join(matches)})"]
    return f"{' UNION ALL '.join(selects)} ORDER BY position {'ASC' if beside == '>' else 'DESC'} LIMIT ?2", wanted


def _stored(rows: sqlite3.Cursor) -> list[StoredEvent]:
    return [  # spelled out: half as long as anything shorter, and a stream can be thousands of them
        StoredEvent._make(
            (position, stream, revision, id_, type_, data, parse_utc(at), correlation, cause, actor, trace)
        )
        for position, stream, revision, id_, type_, data, at, correlation, cause, actor, trace in rows
    ]


def _revision(connection: sqlite3.Connection, stream: str) -> int:
    sql = "SELECT revision FROM events WHERE stream = ? ORDER BY revision DESC LIMIT 1"
    (revision,) = connection.execute(sql, (stream,)).fetchone() or (NO_STREAM,)
    return int(revision)
