"""Several processes on one embedded event store."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from neuroglia.core import Unavailable
from neuroglia.event_sourcing import NO_STREAM
from neuroglia.event_sourcing.adapters import woken
from neuroglia.event_sourcing.adapters.sqlite import SqliteEventStore
from tests.framework.event_sourcing.events import LIMIT_S, batches_until, follow, ids, new_event, new_events

pytestmark = pytest.mark.integration

WRITER = """
import asyncio, sys
from neuroglia.event_sourcing.adapters.sqlite import SqliteEventStore
from tests.framework.event_sourcing.events import new_event

async def write(file: str, *names: str) -> None:
    store = SqliteEventStore(file)
    await store.open()
    for revision, name in enumerate(names, -1):
        await asyncio.to_thread(sys.stdin.readline)
        await store.append("a-1", [new_event(id=name)], revision)
    await store.aclose()

asyncio.run(write(*sys.argv[1:]))
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "events.db"


@pytest.fixture
async def store(file: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SqliteEventStore]:
    """A store that hears of others' appends by notifications alone. It is reached by a link to its file."""
    monkeypatch.setattr(woken, "_SAFETY_S", 3600)
    link = file.with_name("link.db")
    link.symlink_to(file)
    store = SqliteEventStore(str(link))
    await store.open()
    yield store
    await store.aclose()


async def test_given_another_process_when_it_appends_then_each_event_is_told_here(
    store: SqliteEventStore, file: Path
) -> None:
    subscription = store.subscribe(after=-1, prefixes=["a-"])
    await batches_until(subscription, 0)
    names = ["first", "second", "third"]
    writer = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, str(file), *names, stdin=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert writer.stdin is not None

    for name in names:
        coming = asyncio.create_task(follow(subscription, 1))
        writer.stdin.write(b"go on\n")
        assert ids(await coming) == [name]

    assert await writer.wait() == 0


async def test_given_another_object_when_it_appended_before_the_watch_began_then_it_is_told_all_the_same(
    store: SqliteEventStore, file: Path
) -> None:
    other = SqliteEventStore(str(file))
    await other.open()
    subscription = store.subscribe(after=-1, prefixes=["a-"])
    await batches_until(subscription, 0)  # the file is watched at the earliest when there is nothing more to read
    event = new_event()

    await other.append("a-1", [event], NO_STREAM)
    await other.aclose()

    assert ids(await follow(subscription, 1)) == [event.id]


async def test_given_own_appends_when_the_file_changes_then_the_subscriptions_are_woken_only_once(
    store: SqliteEventStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, positions = asyncio.Queue[int](), list[int]()
    head, wake = SqliteEventStore.head, SqliteEventStore._wake

    async def watched_head(self: SqliteEventStore) -> int:
        looked.put_nowait(await head(self))
        return await head(self)

    def watched_wake(self: SqliteEventStore, position: int) -> None:
        positions.append(position)
        wake(self, position)

    monkeypatch.setattr(SqliteEventStore, "head", watched_head)
    monkeypatch.setattr(SqliteEventStore, "_wake", watched_wake)
    subscription = store.subscribe(after=-1, prefixes=["a-"])
    await batches_until(subscription, 0)
    coming = asyncio.create_task(follow(subscription, 2))
    async with asyncio.timeout(LIMIT_S):
        await looked.get()  # what it begins with

        appended = await store.append("a-1", new_events(2), NO_STREAM)
        while await looked.get() != appended.position:
            pass

    assert len(await coming) == 2
    assert positions == [appended.position]


async def test_given_no_notifications_when_another_object_appends_then_it_is_told_all_the_same(
    store: SqliteEventStore, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(self: SqliteEventStore) -> None:
        """Nobody tells of the file's changes."""

    monkeypatch.setattr(SqliteEventStore, "_look_for_others", never)
    monkeypatch.setattr(woken, "_SAFETY_S", 0.005)
    subscription = store.subscribe(after=-1, prefixes=["a-"])
    await batches_until(subscription, 0)
    coming = asyncio.create_task(follow(subscription, 1))
    await asyncio.sleep(0)
    other, event = SqliteEventStore(str(file)), new_event()
    await other.open()

    await other.append("a-1", [event], NO_STREAM)
    await other.aclose()

    assert ids(await coming) == [event.id]


async def test_given_a_closed_store_when_reading_its_subscription_then_nothing_is_watched(
    store: SqliteEventStore,
) -> None:
    await store.aclose()

    with pytest.raises(Unavailable):
        await anext(store.subscribe(after=-1, prefixes=[]))

    assert store._looking is None


async def test_given_a_store_in_memory_when_following_it_then_nothing_is_watched() -> None:
    store = SqliteEventStore(":memory:")
    await store.open()
    await batches_until(store.subscribe(after=-1, prefixes=[]), 0)

    assert store._looking is None
    await store.aclose()
