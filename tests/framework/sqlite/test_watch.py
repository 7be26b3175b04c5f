"""The watch on a file: told at the start and at each change."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest

from neuroglia.sqlite import watch
from neuroglia.sqlite.watch import file_changes
from tests.support.waiting import eventually

LIMIT_S = 10.0

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
async def no_thread_stays_behind() -> AsyncIterator[None]:
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "sqlite-watch"]


async def test_given_a_file_when_it_is_written_then_that_is_told(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.touch()
    async with asyncio.timeout(LIMIT_S), aclosing(file_changes(str(file))) as changes:
        await anext(changes)  # at the start
        for _ in range(3):
            with file.open("a") as log:
                log.write("more")
            await anext(changes)


async def test_given_a_change_then_it_is_told_again_a_few_times(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_ECHOES_S", (0.001, 0.002, 0.003))
    file = tmp_path / "log"
    file.touch()
    async with asyncio.timeout(LIMIT_S), aclosing(file_changes(str(file))) as changes:
        await anext(changes)
        file.write_text("more")
        for _ in range(4):
            await anext(changes)


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


async def test_given_a_file_that_cannot_be_watched_then_the_log_says_so_and_the_end_is_orderly(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with aclosing(file_changes(str(tmp_path / "missing"))) as changes:
        told = asyncio.ensure_future(anext(changes))

        async def is_logged() -> bool:
            return [record.message for record in caplog.records] == ["the file system does not notify"]

        await eventually(is_logged)
        assert not told.done()
        told.cancel()
        await asyncio.wait([told])
