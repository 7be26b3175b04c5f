"""The raw limit of all durable figures: the same tables, indexes and rows by hand, in one thread."""

import contextlib
import itertools
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

Row = Mapping[str, Any]


class RawFile:
    """A file that promises what the framework's files do: WAL and synchronous=FULL."""

    def __init__(self, file: Path, model: Path) -> None:
        """Makes the file, with the tables and indexes of `model`."""
        self.connection = sqlite3.connect(file, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")
        with contextlib.closing(sqlite3.connect(model)) as source:
            found = source.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY type DESC")
            for (definition,) in found.fetchall():
                self.connection.execute(definition)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    @contextlib.contextmanager
    def commit(self) -> Iterator[None]:
        """One transaction."""
        self.connection.execute("BEGIN IMMEDIATE")
        yield
        self.connection.execute("COMMIT")

    def insert(self, table: str, row: Row) -> None:
        columns, marks = ", ".join(row), ", ".join(f":{name}" for name in row)
        self.connection.execute(f"INSERT INTO {table} ({columns}) VALUES ({marks})", row)


class RawLog(RawFile):
    """A log to append the model's last event to, again and again, as each time the next of its stream."""

    def __init__(self, file: Path, model: Path) -> None:
        super().__init__(file, model)
        self._row = dict(rows(model, "SELECT * FROM events ORDER BY position DESC LIMIT 1")[0])
        del self._row["position"]
        self._revisions = itertools.count()

    def append_rate(self, times: int, group: int = 1) -> float:
        """Appends a second, with one commit for each group."""
        start = time.perf_counter()
        for _ in range(times // group):
            with self.commit():
                for _ in range(group):
                    self.insert("events", {**self._row, "revision": next(self._revisions)})
        return times // group * group / (time.perf_counter() - start)


def rows(file: Path, query: str) -> Sequence[Row]:
    """What a query of a file finds."""
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        return [dict(row) for row in connection.execute(query)]
