"""One SQLite file: a single writer thread that commits in groups, and readers that are never blocked (WAL)."""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import tenacity

from neuroglia.core.errors import Unavailable

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
_GROUP: Final = 256
_READERS: Final = 4
_BUSY_TIMEOUT_S: Final = 5.0


@dataclass(slots=True)
class _Job:
    work: Work[Any]
    future: asyncio.Future[Any]
    loop: asyncio.AbstractEventLoop
    result: Any = None
    error: Exception | None = None


class Database:
    """A file that survives kill -9 and power loss: WAL with `synchronous=FULL`, one fsync for each commit.

    Writes that wait at the same time share a commit; one that fails undoes only itself. So a work may be run
    twice, and must do nothing but use the connection. A write is acknowledged after the commit. `:memory:` keeps
    nothing and uses the writer for all.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._in_memory = path == ":memory:"
        self._writer: threading.Thread | None = None

    async def open(self, schema: str) -> None:
        """Opens the file, making it if need be, and applies the schema (statements that may be repeated).

        Raises:
            Unavailable: it cannot be opened or written.
        """
        if not self._in_memory:
            try:
                Path(self._path).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise Unavailable(f"the folder of {self._path} cannot be made: {error.strerror}") from error
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(_READERS, thread_name_prefix="sqlite-read")
        self._local = threading.local()
        self._read_connections: list[sqlite3.Connection] = []
        loop = asyncio.get_running_loop()
        ready = _Job(_prepare, loop.create_future(), loop)
        self._writer = threading.Thread(target=self._write_loop, args=(ready,), name="sqlite-write", daemon=True)
        self._writer.start()
        try:
            await ready.future
            await self.write(lambda connection: _run_script(connection, schema))
        except BaseException:
            await self.aclose()
            raise

    async def write(self, work: Work[T]) -> T:
        """Runs `work` in a transaction and returns its result once that is durable.

        Raises:
            Unavailable: the file is locked, full, read-only or broken; nothing was written.
        """
        if self._writer is None:
            raise Unavailable("the database is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._jobs.put(_Job(work, future, loop))
        return await future

    async def read(self, work: Work[T]) -> T:
        """Runs a query on a consistent view of what is committed.

        Raises:
            Unavailable: the file cannot be read.
        """
        if self._writer is None:
            raise Unavailable("the database is closed")
        if self._in_memory:
            return await self.write(work)
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    async def aclose(self) -> None:
        """Ends the threads after the work that is queued, and closes the file."""
        if (writer := self._writer) is None:
            return
        self._writer = None
        self._jobs.put(None)
        await asyncio.to_thread(writer.join)
        await asyncio.to_thread(self._readers.shutdown)
        for connection in self._read_connections:
            connection.close()

    def _read(self, work: Work[T]) -> T:
        try:
            connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
            if connection is None:
                connection = self._local.connection = self._connect()
                connection.execute("PRAGMA query_only = ON")
                self._read_connections.append(connection)
            connection.execute("BEGIN")
            try:
                return work(connection)
            finally:
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise _unavailable(error) from error

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)

    def _write_loop(self, ready: _Job) -> None:
        try:
            with closing(self._connect()) as connection:
                ready.work(connection)
                ready.loop.call_soon_threadsafe(_deliver, [ready])
                self._serve(connection)
        except sqlite3.Error as error:
            ready.error = _unavailable(error)
            ready.loop.call_soon_threadsafe(_deliver, [ready])

    def _serve(self, connection: sqlite3.Connection) -> None:
        stopping = False
        while not stopping:
            group: list[_Job] = []
            job = self._jobs.get()
            while True:
                if job is None:
                    stopping = True
                    break
                group.append(job)
                if len(group) == _GROUP or self._jobs.empty():
                    break
                job = self._jobs.get_nowait()
            if group:
                _commit(connection, group)
                for loop in {member.loop for member in group}:  # waking a loop costs more than the group's delivery
                    loop.call_soon_threadsafe(_deliver, [member for member in group if member.loop is loop])


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


def _commit(connection: sqlite3.Connection, group: list[_Job]) -> None:
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
            job.error = job.error or _unavailable(error)


def _run_together(connection: sqlite3.Connection, group: list[_Job]) -> bool:
    """Runs the jobs without savepoints, which cost as much as small writes. False: one failed half done."""
    for job in group:
        before = connection.total_changes
        if not _run(connection, job) and (connection.total_changes != before or not connection.in_transaction):
            return False
    return True


def _run_apart(connection: sqlite3.Connection, group: list[_Job]) -> None:
    """Runs the jobs again, so that one that fails undoes only itself."""
    for job in group:
        connection.execute("SAVEPOINT job")
        if not _run(connection, job):
            connection.execute("ROLLBACK TO job")
        connection.execute("RELEASE job")


def _run(connection: sqlite3.Connection, job: _Job) -> bool:
    job.error = None
    try:
        job.result = job.work(connection)
    except Exception as error:  # noqa: BLE001 - handed to the one who waits for it
        job.error = _unavailable(error) if isinstance(error, sqlite3.Error) else error
    return job.error is None


def _deliver(jobs: list[_Job]) -> None:
    for job in jobs:
        if job.future.done():  # its waiter was cancelled meanwhile
            continue
        if job.error is not None:
            job.future.set_exception(job.error)
        else:
            job.future.set_result(job.result)


def _run_script(connection: sqlite3.Connection, schema: str) -> None:
    for statement in schema.split(";"):
        if statement.strip():
            connection.execute(statement)


def _unavailable(error: sqlite3.Error) -> Unavailable:
    return Unavailable(f"the embedded database does not work: {getattr(error, 'sqlite_errorname', 'error')}")
