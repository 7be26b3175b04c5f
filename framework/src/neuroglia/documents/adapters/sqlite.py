"""The embedded document store: one SQLite file, one table for each collection, JSON indexed by expression."""

import itertools
import sqlite3
from collections.abc import Sequence
from typing import Any, Final

from typing_extensions import override

from neuroglia.core.errors import ConcurrencyError
from neuroglia.documents.conditions import Condition
from neuroglia.documents.store import DocumentStore, Find, StoredDocument, Write, refuse_nul
from neuroglia.documents.types import DocumentType, Index
from neuroglia.sqlite import Database

_PAGES_AHEAD: Final = 16_384
"""Read models change the same pages of their indexes all the time."""


class SqliteDocumentStore(DocumentStore):
    """Documents as JSON text. Collection and field names come from declarations, values are always parameters."""

    def __init__(self, path: str) -> None:
        self._database = Database(path, pages_ahead=_PAGES_AHEAD)
        self._compared: dict[str, frozenset[str]] = {}

    @override
    async def open(self) -> None:
        await self._database.open("")

    @override
    async def aclose(self) -> None:
        await self._database.aclose()

    @override
    async def ping(self) -> None:
        await self._database.ping("sqlite_schema")

    @override
    async def prepare(self, types: Sequence[DocumentType[Any]]) -> None:
        def work(connection: sqlite3.Connection) -> None:
            for kind in types:
                connection.execute(
                    f'CREATE TABLE IF NOT EXISTS "{kind.collection}" '
                    "(key TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL)"
                )
                for index in kind.indexes:
                    columns = ", ".join([*map(_field, index), "key"])
                    name = f"{kind.collection}:{','.join(index)}"  # no other collection's or index's name is like it
                    connection.execute(f'CREATE INDEX IF NOT EXISTS "{name}" ON "{kind.collection}" ({columns})')

        await self._database.write(work)
        self._compared |= {kind.collection: frozenset(itertools.chain(*kind.indexes)) for kind in types}

    @override
    async def drop(self, types: Sequence[DocumentType[Any]]) -> None:
        def work(connection: sqlite3.Connection) -> None:
            for kind in types:
                connection.execute(f'DROP TABLE IF EXISTS "{kind.collection}"')

        await self._database.write(work)

    @override
    async def get(self, collection: str, key: str) -> StoredDocument | None:
        sql = f'SELECT key, version, body FROM "{collection}" WHERE key = ?'  # noqa: S608 - a declared name
        row = await self._database.read(lambda connection: connection.execute(sql, (key,)).fetchone())
        return None if row is None else _stored(row)

    @override
    async def find(self, kind: DocumentType[Any], find: Find) -> Sequence[StoredDocument]:
        sql, parameters = _select(kind, find)
        rows = await self._database.read(lambda connection: connection.execute(sql, parameters).fetchall())
        return [_stored(row) for row in rows]

    @override
    async def commit(self, writes: Sequence[Write]) -> None:
        """Does all the writes, durably, or none.

        Raises:
            ConcurrencyError: a document is not at its expected version.
            ValueError: a text in an indexed field holds NUL, where SQLite would end it: it would be found as another.
        """
        refuse_nul(writes, self._compared)

        def work(connection: sqlite3.Connection) -> None:
            for write in writes:
                _apply(connection, write)

        await self._database.write(work)


def _apply(connection: sqlite3.Connection, write: Write) -> None:
    table, guard = f'"{write.collection}"', (write.key, write.expected)
    if write.body is None:
        changed = connection.execute(f"DELETE FROM {table} WHERE key = ? AND version = ?", guard).rowcount  # noqa: S608
    elif write.expected == 0:
        changed = connection.execute(
            f"INSERT INTO {table} (key, version, body) VALUES (?, 1, ?) ON CONFLICT DO NOTHING",  # noqa: S608
            (write.key, write.body.decode()),
        ).rowcount
    else:
        changed = connection.execute(
            f"UPDATE {table} SET version = version + 1, body = ? WHERE key = ? AND version = ?",  # noqa: S608
            (write.body.decode(), *guard),
        ).rowcount
    if changed != 1:
        row = connection.execute(f"SELECT version FROM {table} WHERE key = ?", (write.key,)).fetchone()  # noqa: S608
        raise ConcurrencyError(f"{write.collection}/{write.key}", write.expected, 0 if row is None else row[0])


def _select(kind: DocumentType[Any], find: Find) -> tuple[str, list[object]]:
    index: Index = kind.index_for(find.where, find.order)
    by_field: dict[str, list[Condition]] = {}
    for condition in find.where:
        by_field.setdefault(condition.field, []).append(condition)
    clauses: list[str] = []
    parameters: list[object] = []
    for name in sorted(by_field, key=index.index):
        for condition in by_field[name]:
            clauses.append(f"{_field(name)} {condition.operator} ?")
            parameters.append(condition.value)
    keys = [*map(_field, find.order), "key"]
    if find.after is not None:
        # SQLite's index on an expression serves a plain bound, but no bound of several values at once
        clauses.append(f"{keys[0]} {'<=' if find.descending else '>='} ?")
        parameters.append(find.after[0])
        marks = ", ".join("?" * len(keys))
        clauses.append(f"({', '.join(keys)}) {'<' if find.descending else '>'} ({marks})")
        parameters += find.after
    where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
    order = ", ".join(f"{key} {'DESC' if find.descending else 'ASC'}" for key in keys)
    sql = f'SELECT key, version, body FROM "{kind.collection}"{where} ORDER BY {order} LIMIT ?'  # noqa: S608
    return sql, [*parameters, find.limit]


def _field(name: str) -> str:
    """The expression that both the index and the query use; they must be the same text to meet."""
    return f"json_extract(body, '$.{name}')"


def _stored(row: tuple[str, int, str]) -> StoredDocument:
    return StoredDocument(row[0], row[1], row[2].encode())
