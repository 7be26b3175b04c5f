"""EventStoreDB is killed while many write and read: nothing is lost or doubled, nobody hurries, nobody hoards."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from neuroglia.core import Unavailable
from neuroglia.event_sourcing import BEGINNING, NO_STREAM, EventSubscription, NewEvent, StoredEvent
from neuroglia.event_sourcing.adapters.eventstoredb import EventStoreDB
from tests.framework.event_sourcing.events import batches_until, follow, ids, log_of, new_events, stream_of
from tests.support.dead_end import DeadEnd
from tests.support.eventstoredb.log import Log, Proposed
from tests.support.eventstoredb.process import StandIn
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration
WRITERS = 8
EACH = 40
LIMIT_S = 60.0
"""A bound for what hangs; nothing is measured by it."""


@pytest.fixture
async def store(server: StandIn) -> AsyncIterator[EventStoreDB]:
    store = EventStoreDB(server.url)
    await store.open()
    yield store
    await store.aclose()


class Writers:
    """Each appends to a stream of its own, one event after the other, each until it is confirmed."""

    def __init__(self, store: EventStoreDB) -> None:
        self.events = {f"a-{number}": new_events(EACH) for number in range(WRITERS)}
        self.confirmed = 0
        self.unclear = 0
        self._store = store

    async def write(self) -> None:
        async with asyncio.TaskGroup() as group:
            for stream, events in self.events.items():
                group.create_task(self._fill(stream, events))

    async def wait_for(self, confirmed: int) -> None:
        async def so_many() -> bool:
            return self.confirmed >= confirmed

        await eventually(so_many)

    async def _fill(self, stream: str, events: Sequence[NewEvent]) -> None:
        for expected, event in enumerate(events, NO_STREAM):

            async def confirmed(event: NewEvent = event, expected: int = expected) -> bool:
                try:
                    appended = await self._store.append(stream, [event], expected)
                except Unavailable:
                    self.unclear += 1
                    return False
                assert appended.revision == expected + 1
                return True

            await eventually(confirmed)
            self.confirmed += 1


async def restart(server: StandIn) -> None:
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)


async def test_given_many_writers_and_a_live_reader_when_the_server_is_killed_and_back_then_each_event_comes_once(
    store: EventStoreDB, server: StandIn
) -> None:
    subscription = store.subscribe(after=BEGINNING, prefixes=["a-"])
    assert (await batches_until(subscription, 0))[-1].caught_up
    following = asyncio.create_task(all_of(subscription, WRITERS * EACH))
    writers = Writers(store)
    writing = asyncio.create_task(writers.write())

    for kill in range(1, 4):
        await writers.wait_for(kill * WRITERS * EACH // 5)
        await restart(server)
    async with asyncio.timeout(LIMIT_S):
        await writing
        told = await following

    for stream, events in writers.events.items():
        stored = await stream_of(store, stream)
        assert ids(stored) == ids(events)
        assert [event.revision for event in stored] == list(range(EACH))
    assert told == await log_of(store, BEGINNING, "a-")
    positions = [event.position for event in told]
    assert positions == sorted(set(positions))
    await subscription.stop()


async def test_given_answers_that_get_lost_under_many_writers_when_each_appends_again_then_all_is_written_once(
    store: EventStoreDB, server: StandIn
) -> None:
    writers = Writers(store)
    writing = asyncio.create_task(writers.write())
    for part in range(4):
        await writers.wait_for(part * WRITERS * EACH // 5)
        server.tell(f"lose {6 * WRITERS}")  # more than the client tries by itself
    async with asyncio.timeout(LIMIT_S):
        await writing

    assert writers.unclear > 0
    for stream, events in writers.events.items():
        assert ids(await stream_of(store, stream)) == ids(events)
    assert len(await log_of(store, BEGINNING)) == WRITERS * EACH


async def test_given_a_long_history_when_the_server_is_killed_while_it_is_read_then_nothing_is_missed_or_repeated(
    tmp_path: Path,
) -> None:
    count = 20_000
    server = history(tmp_path / "log", count)
    store = EventStoreDB(server.url)
    await store.open()
    subscription = store.subscribe(after=BEGINNING, prefixes=["a-"])

    told: list[StoredEvent] = []
    for _ in range(4):
        told += await follow(subscription, 4000)
        await restart(server)
    told += await all_of(subscription, count - len(told))

    assert [event.data for event in told] == [number_in(number) for number in range(count)]
    await store.aclose()
    server.kill()


async def test_given_a_port_where_nobody_answers_when_following_then_it_is_tried_now_and_then_and_goes_on_later(
    store: EventStoreDB, server: StandIn
) -> None:
    subscription = store.subscribe(after=BEGINNING, prefixes=["a-"])
    events = new_events(2)
    await store.append("a-1", events[:1], NO_STREAM)
    assert ids(await follow(subscription, 1)) == ids(events[:1])
    await asyncio.to_thread(server.kill)

    with DeadEnd(server.port) as dead_end:
        for _ in range(2):
            async with asyncio.timeout(LIMIT_S):
                with pytest.raises(Unavailable):
                    await anext(subscription)

    assert dead_end.attempts >= 4
    assert dead_end.attempts_a_second < 15  # a busy machine only makes it less
    await asyncio.to_thread(server.start)
    await store.append("a-1", events[1:], 0)
    assert ids(await follow(subscription, 1)) == ids(events[1:])


async def test_given_a_reader_that_stands_still_before_a_long_history_then_little_of_it_is_held_in_memory(
    tmp_path: Path,
) -> None:
    count = 200_000
    server = history(tmp_path / "log", count)
    store = EventStoreDB(server.url)
    await store.open()
    slow = store.subscribe(after=BEGINNING, prefixes=["a-"])
    first = await anext(slow)
    before = resident_bytes()

    other = store.subscribe(after=BEGINNING, prefixes=["a-"])  # the time it takes is the slow one's, too
    passed = 0
    async with asyncio.timeout(2 * LIMIT_S):
        async for batch in other:
            assert batch.events[0].data == number_in(passed)
            passed += len(batch.events)
            if passed == count:
                break
    grown = resident_bytes() - before

    assert grown < 40 * 2**20  # all of it would be more than 100 MB
    second = await anext(slow)
    assert second.events[0].data == number_in(len(first.events))
    await store.aclose()
    server.kill()
    (tmp_path / "log").unlink()


def history(file: Path, count: int) -> StandIn:
    """A server that has so many events, in ten streams."""
    log = Log(file)
    for start in range(0, count, 1000):
        events = [
            Proposed(f"{number:032x}", "test.happened.v1", number_in(number)) for number in range(start, start + 1000)
        ]
        log.write((f"a-{start // 1000 % 10}", log.last_revision(f"a-{start // 1000 % 10}") + 1, events))
    log.close()
    return StandIn(file).start()


def number_in(number: int) -> bytes:
    return b'{"n":%d,"text":"%s"}' % (number, b"x" * 100)


async def all_of(subscription: EventSubscription, count: int) -> list[StoredEvent]:
    """The next events of a subscription, however long its outages last."""
    found: list[StoredEvent] = []
    while len(found) < count:
        try:
            found += (await anext(subscription)).events
        except Unavailable:
            continue
    return found


def resident_bytes() -> int:
    """What this process has of the machine's memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
