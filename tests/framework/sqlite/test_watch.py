"""The watch on a file: told at the start, at each change, and now and then where nothing tells."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from neuroglia.sqlite import watch
from neuroglia.sqlite.watch import file_changes

LIMIT_S = 10.0

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
async def no_thread_stays_behind() -> AsyncIterator[None]:
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "sqlite-watch"]


@pytest.fixture
def only_notifications(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_SAFETY_MS", 3_600_000)


@pytest.mark.usefixtures("only_notifications")
async def test_given_a_file_when_it_is_written_then_that_is_told(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.touch()
    async with asyncio.timeout(LIMIT_S), aclosing(file_changes(str(file))) as changes:
        await anext(changes)  # at the start
        for _ in range(3):
            with file.open("a") as log:
                log.write("more")
            await anext(changes)


@pytest.mark.usefixtures("only_notifications")
async def test_given_a_watch_that_waits_when_its_reader_is_cancelled_then_it_ends(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.touch()
    first = asyncio.Event()

    async def read() -> None:
        async with aclosing(file_changes(str(file))) as changes:
            async for _ in changes:
                first.set()

    async with asyncio.timeout(LIMIT_S):
        reading = asyncio.create_task(read())
        await first.wait()
        reading.cancel()
        await asyncio.wait([reading])

    assert reading.cancelled()


async def test_given_a_file_that_cannot_be_watched_then_it_is_told_now_and_then_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watch, "_SAFETY_MS", 1)
    async with asyncio.timeout(LIMIT_S), aclosing(file_changes(str(tmp_path / "missing"))) as changes:
        for _ in range(3):
            await anext(changes)

    assert [record.message for record in caplog.records] == ["no notifications, looking now and then"]


async def test_given_a_file_that_nobody_writes_then_it_is_told_now_and_then_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_SAFETY_MS", 1)
    file = tmp_path / "log"
    file.touch()
    async with asyncio.timeout(LIMIT_S), aclosing(file_changes(str(file))) as changes:
        for _ in range(3):
            await anext(changes)
