"""One SQLite file: a single writer thread that commits in groups, and readers that are never blocked (WAL)."""

import asyncio
import os
import queue
import shutil
import sqlite3
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final, TypeVar

import tenacity

from neuroglia.core.errors import Unavailable
from neuroglia.sqlite.jobs import Job, Line, Outbox, Work
from neuroglia.sqlite.watch import file_changes

T = TypeVar("T")
_GROUP: Final = 256
_READERS: Final = 4
_BUSY_TIMEOUT_S: Final = 5.0
_PROBE_S: Final = 1.0
_LEAST_FREE: Final = 1024 * 1024
_WRITER_CACHE_KIB: Final = 64 * 1024
_READER_CACHE_KIB: Final = 16 * 1024
"""Taken as it is needed: pages that are used again and again stay there."""


class Database:
    """A file that survives kill -9 and power loss: WAL with `synchronous=FULL`, one fsync for each commit.

    Writes that wait at the same time share a commit; one that fails undoes only itself. So a work may be run
    twice, and must do nothing but use the connection. A write is acknowledged after the commit. `:memory:` keeps
    nothing and uses the writer for all.

    Attributes:
        in_memory: no other process can see it.
    """

    def __init__(self, path: str, *, pages_ahead: int = 1_000) -> None:
        """`pages_ahead`: so many are written ahead before they are carried over into the file. Where the same pages
        change again and again, a larger number carries each of them once; but while the write-ahead log grows to
        that size, each commit costs more."""
        self._path = path
        self._pages_ahead = pages_ahead
        self._log = f"{os.path.realpath(path)}-wal"
        self.in_memory = path == ":memory:"
        self._writer: threading.Thread | None = None
        self._outbox: Outbox | None = None
        self._last_write_failed = False

    @property
    def is_open(self) -> bool:
        """Whether it can be used."""
        return self._writer is not None

    async def open(self, schema: str) -> None:
        """Opens the file, making it if need be, and applies the schema (statements that may be repeated).

        Raises:
            Unavailable: it cannot be opened or written.
        """
        if not self.in_memory:
            try:
                Path(self._path).parent.mkdir(0o700, parents=True, exist_ok=True)  # nobody else's: it holds all data
            except OSError as error:
                raise Unavailable(f"the folder of {self._path} cannot be made: {error.strerror}") from error
        self._writes: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._reads = Line()
        ready = self._job(_prepare)
        self._writer = _start("sqlite-write", self._write_loop, ready)
        self._readers = [_start("sqlite-read", self._read_loop) for _ in range(0 if self.in_memory else _READERS)]
        try:
            await self._result(ready)
            await self.write(lambda connection: _run_script(connection, schema))
        except BaseException:
            await self.aclose()
            raise

    async def write(self, work: Work[T]) -> T:
        """Runs `work` in a transaction and returns its result once that is durable.

        Raises:
            Unavailable: the file is locked, full, read-only or broken; nothing was written.
        """
        return await self._hand_over(work, to_writer=True)

    async def read(self, work: Work[T]) -> T:
        """Runs a query on a consistent view of what is committed.

        Raises:
            Unavailable: the file cannot be read.
        """
        return await self._hand_over(work, to_writer=self.in_memory)

    async def ping(self, table: str) -> None:
        """Reads from a table, and when the last write has failed also writes, to know whether that is over.

        Raises:
            Unavailable: one of them fails, or takes too long.
        """
        sql = f"SELECT 1 FROM {table} LIMIT 1"  # noqa: S608 - a name of ours
        await self.read(lambda connection: connection.execute(sql).fetchone())
        if self._last_write_failed:
            folder = Path(self._path).parent
            if not self.in_memory and (await asyncio.to_thread(shutil.disk_usage, folder)).free < _LEAST_FREE:
                raise Unavailable(f"the disk of {folder} is full")  # a small write may succeed where others do not
            try:
                async with asyncio.timeout(_PROBE_S):
                    await self.write(lambda connection: connection.execute("PRAGMA user_version = 0"))
            except TimeoutError:
                raise Unavailable("the embedded database takes no writes") from None

    def changes(self) -> AsyncGenerator[None]:
        """Tells of commits, also of other processes; see `file_changes`."""
        return file_changes(self._log)

    async def aclose(self) -> None:
        """Ends the threads after the work that is queued, and closes the file."""
        if (writer := self._writer) is None:
            return
        self._writer = None
        self._writes.put(None)
        for _ in self._readers:
            self._reads.put(None)
        for thread in (writer, *self._readers):
            await asyncio.to_thread(thread.join)

    def _job(self, work: Work[T]) -> Job:
        loop = asyncio.get_running_loop()
        outbox = self._outbox
        if outbox is None or outbox.loop is not loop:
            outbox = self._outbox = Outbox(loop)
        return Job(work, loop.create_future(), outbox)

    async def _hand_over(self, work: Work[T], *, to_writer: bool) -> T:
        if self._writer is None:
            raise Unavailable("the database is closed")
        job = self._job(work)
        (self._writes if to_writer else self._reads).put(job)
        return await self._result(job)  # type: ignore[no-any-return]

    async def _result(self, job: Job) -> Any:
        """What came of a job. An error of SQLite is told by its name, for its text may hold data; and callers see the
        file's name, but not where it is."""
        try:
            return await job.future
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorname", "error")
            told = Unavailable(f"the embedded database {Path(self._path).name} does not work: {code}")
            told.add_note(f"The file is {self._path}.")
            raise told from None

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)

    def _read_loop(self) -> None:
        connection: sqlite3.Connection | None = None
        rest: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        while job := self._reads.take(rest):
            try:
                if connection is None:
                    connection = self._connect()
                    connection.execute("PRAGMA query_only = ON")
                    connection.execute(f"PRAGMA cache_size = -{_READER_CACHE_KIB}")
                if not job.future.cancelled():
                    _read(connection, job)
            except sqlite3.Error as error:
                job.error = error
            job.outbox.put([job])
            del job  # else its result lives on while this thread rests
        if connection is not None:
            connection.close()

    def _write_loop(self, ready: Job) -> None:
        try:
            with closing(self._connect()) as connection:
                ready.work(connection)
                connection.execute(f"PRAGMA wal_autocheckpoint = {self._pages_ahead}")
                ready.outbox.put([ready])
                self._serve(connection)
        except sqlite3.Error as error:
            ready.error = error
            ready.outbox.put([ready])

    def _serve(self, connection: sqlite3.Connection) -> None:
        group: list[Job] = []
        for job in iter(self._writes.get, None):
            group.append(job)
            if len(group) == _GROUP or self._writes.empty():
                self._finish(connection, group)
                group = []
        if group:
            self._finish(connection, group)

    def _finish(self, connection: sqlite3.Connection, group: list[Job]) -> None:
        _commit(connection, group)
        self._last_write_failed = any(isinstance(job.error, sqlite3.Error) for job in group)
        for outbox in {job.outbox for job in group}:
            outbox.put([job for job in group if job.outbox is outbox])


def _start(name: str, run: Callable[..., None], *arguments: object) -> threading.Thread:
    thread = threading.Thread(target=run, args=arguments, name=name, daemon=True)
    thread.start()
    return thread


def _read(connection: sqlite3.Connection, job: Job) -> None:
    connection.execute("BEGIN")
    job.run(connection)
    if connection.in_transaction:  # an error may have ended it
        connection.execute("COMMIT")


def _is_busy(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode == sqlite3.SQLITE_BUSY


@tenacity.retry(
    retry=tenacity.retry_if_exception(_is_busy),  # unlike all else, the change to WAL does not wait for others
    stop=tenacity.stop_after_delay(_BUSY_TIMEOUT_S),
    wait=tenacity.wait_random(0, 0.02),
    reraise=True,
)
def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA cache_size = -{_WRITER_CACHE_KIB}")


def _commit(connection: sqlite3.Connection, group: list[Job]) -> None:
    try:
        connection.execute("BEGIN IMMEDIATE")
        if not _run_together(connection, group):
            if connection.in_transaction:  # a full disk has rolled back by itself
                connection.execute("ROLLBACK")
            connection.execute("BEGIN IMMEDIATE")
            _run_apart(connection, group)
        connection.execute("COMMIT")
    except sqlite3.Error as error:
        if connection.in_transaction:
            with suppress(sqlite3.Error):  # the next BEGIN says so if it is still broken
                connection.execute("ROLLBACK")
        for job in group:  # one commit: what it does not hold, nobody has written
            job.error = job.error or error


def _run_together(connection: sqlite3.Connection, group: list[Job]) -> bool:
    """Runs the jobs without savepoints, which cost as much as small writes. False: one failed half done."""
    for job in group:
        before = connection.total_changes
        if not job.run(connection) and (connection.total_changes != before or not connection.in_transaction):
            return False
    return True


def _run_apart(connection: sqlite3.Connection, group: list[Job]) -> None:
    """Runs the jobs again, so that one that fails undoes only itself."""
    for job in group:
        connection.execute("SAVEPOINT job")
        if not job.run(connection):
            connection.execute("ROLLBACK TO job")
        connection.execute("RELEASE job")


def _run_script(connection: sqlite3.Connection, schema: str) -> None:
    for statement in schema.split(";"):
        if statement.strip():
            connection.execute(statement)
