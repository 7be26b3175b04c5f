"""The embedded file: group commits, honest errors, and an orderly end."""

import asyncio
import os
import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from neuroglia.core import Unavailable
from neuroglia.sqlite import Database, database as database_module
from tests.framework.sqlite.conftest import SCHEMA

LIMIT_S = 10.0


def insert(text: str) -> Callable[[sqlite3.Connection], int]:
    """Writes a note, whose text must be new."""

    def work(connection: sqlite3.Connection) -> int:
        return connection.execute("INSERT INTO notes (text) VALUES (?)", (text,)).lastrowid or 0

    return work


def texts(connection: sqlite3.Connection) -> list[str]:
    """All notes."""
    return [row[0] for row in connection.execute("SELECT text FROM notes ORDER BY id")]


class Hold:
    """A job that keeps the writer busy until it is let go."""

    def __init__(self, then: Callable[[sqlite3.Connection], object] = lambda _: None) -> None:
        self.release = threading.Event()
        self.entered = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._then = then

    def __call__(self, connection: sqlite3.Connection) -> None:
        self._then(connection)
        self._loop.call_soon_threadsafe(self.entered.set)
        assert self.release.wait(LIMIT_S)


# -- opening -------------------------------------------------------------------------------------------------------


async def test_given_no_folder_when_opened_then_it_is_made_for_its_owner_alone(database: Database, file: Path) -> None:
    assert database.is_open
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


async def test_given_a_folder_when_opened_then_it_stays_as_it_is(file: Path) -> None:
    file.parent.mkdir()
    file.parent.chmod(0o750)
    database = Database(str(file))

    await database.open(SCHEMA)
    await database.aclose()

    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o750


# -- writing -------------------------------------------------------------------------------------------------------


async def test_given_a_write_when_it_returns_then_another_connection_sees_it(database: Database, file: Path) -> None:
    assert await database.write(insert("a")) == 1

    with sqlite3.connect(file) as other:
        assert texts(other) == ["a"]
    other.close()


async def test_given_writes_that_wait_when_one_fails_then_it_alone_is_undone_and_the_others_share_a_commit(
    database: Database,
) -> None:
    statements: list[str] = []
    hold = Hold(lambda connection: connection.set_trace_callback(statements.append))
    held = asyncio.create_task(database.write(hold))
    await hold.entered.wait()

    def half_done(connection: sqlite3.Connection) -> None:
        insert("half")(connection)
        raise LookupError("changed my mind")

    jobs = [insert("a"), half_done, insert("b"), insert("b"), insert("c")]
    waiting = asyncio.gather(*(database.write(job) for job in jobs), return_exceptions=True)
    await asyncio.sleep(0)  # all of them are queued now
    hold.release.set()
    await held
    a, failed, b, twice, c = await waiting

    assert (a, b, c) == (1, 2, 3)
    assert isinstance(failed, LookupError)
    assert isinstance(twice, Unavailable)
    assert "SQLITE_CONSTRAINT_UNIQUE" in str(twice)
    assert await database.read(texts) == ["a", "b", "c"]
    assert statements.count("COMMIT") == 2  # of the one that held the writer, and of these five together


async def test_given_many_writes_at_once_when_they_are_more_than_a_group_then_all_are_done_in_order(
    database: Database,
) -> None:
    names = [f"n{number}" for number in range(600)]

    await asyncio.gather(*(database.write(insert(name)) for name in names))

    assert await database.read(texts) == names


async def test_given_a_full_disk_when_writing_then_it_is_unavailable_and_the_rest_stays_whole(
    database: Database,
) -> None:
    await database.write(insert("before"))
    await database.write(lambda connection: connection.execute("PRAGMA max_page_count = 8").fetchone())

    answers = await asyncio.gather(
        database.write(insert("x" * 100_000)), database.write(insert("small")), return_exceptions=True
    )

    assert isinstance(answers[0], Unavailable)
    assert "SQLITE_FULL" in str(answers[0])
    stored = await database.read(texts)
    assert stored == (["before"] if isinstance(answers[1], Unavailable) else ["before", "small"])
    await database.write(lambda connection: connection.execute("PRAGMA max_page_count = 1000").fetchone())
    await database.write(insert("after"))
    assert (await database.read(texts))[-1] == "after"


async def test_given_a_cancelled_waiter_when_others_write_then_the_writer_goes_on(database: Database) -> None:
    hold = Hold()
    held = asyncio.create_task(database.write(hold))
    await hold.entered.wait()
    given_up, other = (asyncio.create_task(database.write(insert(name))) for name in ("given up", "other"))
    await asyncio.sleep(0)

    held.cancel()
    given_up.cancel()
    hold.release.set()

    await other
    assert given_up.cancelled()
    assert "other" in await database.read(texts)
    await database.write(insert("next"))


# -- reading -------------------------------------------------------------------------------------------------------


async def test_given_a_write_in_progress_when_reading_then_it_does_not_wait_and_sees_what_is_committed(
    database: Database,
) -> None:
    await database.write(insert("a"))
    hold = Hold(insert("b"))
    held = asyncio.create_task(database.write(hold))
    await hold.entered.wait()

    async with asyncio.timeout(LIMIT_S):
        seen = await asyncio.gather(*(database.read(texts) for _ in range(8)))
    hold.release.set()
    await held

    assert seen == [["a"]] * 8
    assert await database.read(texts) == ["a", "b"]


async def test_given_a_long_read_when_others_write_then_it_keeps_its_view(database: Database) -> None:
    await database.write(insert("a"))
    loop, entered, release = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def read_twice(connection: sqlite3.Connection) -> tuple[list[str], list[str]]:
        before = texts(connection)
        loop.call_soon_threadsafe(entered.set)
        assert release.wait(LIMIT_S)
        return before, texts(connection)

    reading = asyncio.create_task(database.read(read_twice))
    await entered.wait()
    await database.write(insert("b"))
    release.set()

    assert await reading == (["a"], ["a"])


async def test_given_a_long_read_when_others_read_then_they_do_not_wait_for_it(database: Database) -> None:
    await database.write(insert("a"))
    hold = Hold()
    held = asyncio.create_task(database.read(hold))
    await hold.entered.wait()

    async with asyncio.timeout(LIMIT_S):
        seen = await asyncio.gather(*(database.read(texts) for _ in range(100)))

    assert seen == [["a"]] * 100
    assert not held.done()
    hold.release.set()
    await held


async def test_given_long_reads_on_all_threads_when_one_that_waits_is_cancelled_then_it_is_never_run(
    database: Database,
) -> None:
    holds = [Hold() for _ in range(database_module._READERS)]
    held = [asyncio.create_task(database.read(hold)) for hold in holds]
    for hold in holds:
        await hold.entered.wait()
    given_up_ran = threading.Event()
    given_up, other = (asyncio.create_task(database.read(work)) for work in (lambda _: given_up_ran.set(), texts))
    await asyncio.sleep(0)  # both of them are queued now

    given_up.cancel()
    for hold in holds:
        hold.release.set()

    assert await other == []
    await asyncio.gather(*held)
    assert given_up.cancelled()
    assert not given_up_ran.is_set()


async def test_given_reads_of_two_loops_at_once_then_each_gets_its_own(database: Database) -> None:
    await database.write(insert("a"))

    async def read_often() -> list[list[str]]:
        return await asyncio.gather(*(database.read(texts) for _ in range(50)))

    here, there = await asyncio.gather(read_often(), asyncio.to_thread(asyncio.run, read_often()))

    assert here == there == [["a"]] * 50


async def test_given_a_loop_that_is_gone_when_its_read_is_done_then_others_read_on(database: Database) -> None:
    hold, leave = Hold(), threading.Event()

    async def go_away() -> None:
        reading = asyncio.create_task(database.read(hold))
        await asyncio.to_thread(leave.wait, LIMIT_S)
        reading.cancel()

    going = asyncio.create_task(asyncio.to_thread(asyncio.run, go_away()))
    await hold.entered.wait()
    leave.set()
    await going
    hold.release.set()

    assert await asyncio.gather(*(database.read(texts) for _ in range(8))) == [[]] * 8


async def test_given_a_read_that_fails_when_reading_again_then_it_works(database: Database) -> None:
    def fail(connection: sqlite3.Connection) -> None:
        raise LookupError("not mine to explain")

    for _ in range(8):  # every reader of the pool
        with pytest.raises(LookupError):
            await database.read(fail)
        with pytest.raises(Unavailable, match="SQLITE_ERROR"):
            await database.read(lambda connection: connection.execute("SELECT * FROM nothing"))

    assert await asyncio.gather(*(database.read(texts) for _ in range(8))) == [[]] * 8


async def test_given_a_read_that_tries_to_write_then_it_is_refused(database: Database) -> None:
    with pytest.raises(Unavailable, match="SQLITE_READONLY"):
        await database.read(insert("a"))

    assert await database.read(texts) == []


# -- what can be wrong with a file ---------------------------------------------------------------------------------


async def test_given_a_file_locked_by_another_when_writing_then_it_is_unavailable_until_the_lock_goes(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "_BUSY_TIMEOUT_S", 0)
    database = Database(str(file))
    await database.open(SCHEMA)
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(Unavailable, match="SQLITE_BUSY"):
        await database.write(insert("a"))
    assert await database.read(texts) == []
    other.execute("ROLLBACK")
    await database.write(insert("b"))

    assert await database.read(texts) == ["b"]
    other.close()
    await database.aclose()


async def test_given_a_file_that_is_locked_for_a_moment_when_writing_then_it_waits(
    database: Database, file: Path
) -> None:
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(database.write(insert("a")))
    await asyncio.sleep(0)

    other.execute("COMMIT")

    assert await writing == 1
    other.close()


async def test_given_a_folder_in_the_files_place_when_opening_then_it_is_unavailable(tmp_path: Path) -> None:
    await _refuses(Database(str(tmp_path)), "SQLITE_CANTOPEN")


async def test_given_a_file_in_the_folders_place_when_opening_then_it_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    await _refuses(Database(str(tmp_path / "file" / "notes.db")), "the folder of")


async def test_given_a_file_that_is_no_database_when_opening_then_it_is_unavailable_and_untouched(
    tmp_path: Path,
) -> None:
    file = tmp_path / "notes.db"
    file.write_text("Dear diary, " * 1000)

    await _refuses(Database(str(file)), "SQLITE_NOTADB")

    assert file.read_text() == "Dear diary, " * 1000


async def test_given_a_damaged_file_when_reading_and_writing_then_it_is_unavailable(file: Path) -> None:
    database = Database(str(file))
    await database.open(SCHEMA)
    await asyncio.gather(*(database.write(insert(f"{number} {'x' * 1000}")) for number in range(50)))
    await database.aclose()
    _damage(file)

    await database.open("")
    with pytest.raises(Unavailable, match="SQLITE_CORRUPT"):
        await database.read(texts)
    with pytest.raises(Unavailable, match="SQLITE_CORRUPT"):
        await database.write(insert("a"))
    await database.aclose()


async def test_given_a_wrong_schema_when_opening_then_it_is_unavailable_and_nothing_stays_open(file: Path) -> None:
    await _refuses(Database(str(file)), "SQLITE_ERROR", schema="CREATE TABEL notes")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everything")
async def test_given_a_read_only_file_when_opening_then_it_is_unavailable(file: Path) -> None:
    database = Database(str(file))
    await database.open(SCHEMA)
    await database.aclose()
    _allow(0o400, file)
    _allow(0o500, file.parent)

    await _refuses(database, "SQLITE_")

    _allow(0o700, file.parent)


async def test_given_a_connection_that_may_not_write_when_writing_then_it_is_unavailable_and_reads_go_on(
    database: Database,
) -> None:
    await database.write(insert("a"))
    await database.write(lambda connection: connection.execute("PRAGMA query_only = ON"))

    with pytest.raises(Unavailable, match="SQLITE_READONLY"):
        await database.write(insert("b"))

    assert await database.read(texts) == ["a"]


async def test_given_what_was_wrong_is_repaired_when_opening_again_then_it_works(tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.mkdir()
    database = Database(str(file))
    await _refuses(database, "SQLITE_CANTOPEN")
    file.rmdir()

    await database.open(SCHEMA)

    assert await database.write(insert("a")) == 1
    await database.aclose()


async def test_given_a_new_file_when_several_open_it_at_once_then_all_can_write(file: Path) -> None:
    databases = [Database(str(file)) for _ in range(8)]

    await asyncio.gather(*(database.open(SCHEMA) for database in databases))
    await asyncio.gather(*(database.write(insert(str(number))) for number, database in enumerate(databases)))

    assert sorted(await databases[0].read(texts)) == [str(number) for number in range(8)]
    await asyncio.gather(*(database.aclose() for database in databases))


# -- the end -------------------------------------------------------------------------------------------------------


async def test_given_queued_work_when_closing_then_it_is_done_first(file: Path) -> None:
    database = Database(str(file))
    await database.open(SCHEMA)
    hold = Hold()
    held = asyncio.create_task(database.write(hold))
    await hold.entered.wait()
    waiting = [asyncio.create_task(database.write(insert(str(number)))) for number in range(5)]
    reading = asyncio.create_task(database.read(texts))
    await asyncio.sleep(0)

    closing = asyncio.create_task(database.aclose())
    await asyncio.sleep(0)
    hold.release.set()
    async with asyncio.timeout(LIMIT_S):
        await closing

    assert await asyncio.gather(*waiting) == [1, 2, 3, 4, 5]
    assert await reading in ([], ["0", "1", "2", "3", "4"])  # as it was before that one commit, or after
    await held
    await database.open(SCHEMA)
    assert await database.read(texts) == ["0", "1", "2", "3", "4"]
    await database.aclose()


async def test_given_a_closed_database_when_using_it_then_it_is_unavailable(database: Database) -> None:
    await database.aclose()
    await database.aclose()  # again is no mistake

    with pytest.raises(Unavailable):
        await database.write(insert("a"))
    with pytest.raises(Unavailable):
        await database.read(texts)


async def test_given_a_database_that_was_never_opened_when_using_it_then_it_is_unavailable(file: Path) -> None:
    with pytest.raises(Unavailable):
        await Database(str(file)).read(texts)


async def test_given_no_file_when_writing_then_it_works_the_same_and_is_forgotten_at_the_end() -> None:
    database = Database(":memory:")
    await database.open(SCHEMA)
    assert await asyncio.gather(*(database.write(insert(name)) for name in "abc")) == [1, 2, 3]
    with pytest.raises(Unavailable):
        await database.write(insert("a"))
    assert await database.read(texts) == ["a", "b", "c"]
    await database.aclose()
    with pytest.raises(Unavailable):
        await database.read(texts)

    await database.open(SCHEMA)
    assert await database.read(texts) == []
    await database.aclose()


def _damage(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)  # the first page, which holds the schema, stays
    file.write_bytes(content)


def _allow(mode: int, path: Path) -> None:
    path.chmod(mode)


async def _refuses(database: Database, why: str, *, schema: str = SCHEMA) -> None:
    async with asyncio.timeout(LIMIT_S):
        with pytest.raises(Unavailable, match=why):
            await database.open(schema)
        with pytest.raises(Unavailable):
            await database.write(insert("a"))
        with pytest.raises(Unavailable):
            await database.read(texts)
        await database.aclose()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("sqlite-")]
