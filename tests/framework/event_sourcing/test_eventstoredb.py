"""What only EventStoreDB shows: failing connections, foreign tools and their events. See also the contract."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from neuroglia.core import ConcurrencyError, ConfigurationError, Unavailable
from neuroglia.event_sourcing import BEGINNING, NO_STREAM, Appended, EventStore
from neuroglia.event_sourcing.adapters.esdb_client import WrongRevision
from neuroglia.event_sourcing.adapters.eventstoredb import EventStoreDB
from neuroglia.hosting.backing_services import connect_event_store
from tests.framework.event_sourcing.events import LIMIT_S, batches_until, follow, ids, new_event, new_events, stream_of
from tests.support.eventstoredb.process import StandIn
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration


@pytest.fixture
async def store(server: StandIn) -> AsyncIterator[EventStoreDB]:
    store = EventStoreDB(server.url)
    await store.open()
    yield store
    await store.aclose()


async def insist_on(call: Callable[[], Awaitable[object]]) -> None:
    """Calls until it is answered."""

    async def is_answered() -> bool:
        try:
            await call()
        except Unavailable:
            return False
        return True

    await eventually(is_answered)


async def insist_on_appending(store: EventStore, stream: str, expected: int, count: int) -> list[str]:
    """Appends one event after the other, each until it is confirmed. Returns their ids."""
    events = new_events(count)
    for revision, event in enumerate(events, expected):
        await insist_on(partial(store.append, stream, [event], revision))
    return ids(events)


@pytest.mark.parametrize("fault", ["lose", "cut"])
async def test_given_an_answer_that_gets_lost_after_the_commit_when_appending_then_it_is_written_once(
    store: EventStoreDB, server: StandIn, fault: str
) -> None:
    for revision, event in enumerate(new_events(3), NO_STREAM):
        server.tell(f"{fault} 1")
        await store.append("a-1", [event], revision)

    assert [event.revision for event in await stream_of(store, "a-1")] == [0, 1, 2]


@pytest.mark.parametrize("fault", ["lose", "cut"])
async def test_given_answers_that_get_lost_for_good_when_the_same_events_come_again_then_they_are_written_once(
    store: EventStoreDB, server: StandIn, fault: str
) -> None:
    events = new_events(2)
    server.tell(f"{fault} 100")
    with pytest.raises(Unavailable):
        await store.append("a-1", events, NO_STREAM)
    server.tell(f"{fault} 0")

    appended = await store.append("a-1", events, NO_STREAM)

    stored = await stream_of(store, "a-1")
    assert ids(stored) == ids(events)
    assert appended == Appended(1, stored[-1].position)


async def test_given_a_server_that_is_killed_again_and_again_when_appending_then_nothing_confirmed_is_lost_or_doubled(
    store: EventStoreDB, server: StandIn
) -> None:
    appending = asyncio.create_task(insist_on_appending(store, "a-1", NO_STREAM, 300))
    for reached in (50, 150, 250):

        async def so_far(reached: int = reached) -> bool:
            try:
                return len(await stream_of(store, "a-1")) >= reached
            except Unavailable:
                return False

        await eventually(so_far)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)

    written = await appending

    assert ids(await stream_of(store, "a-1")) == written


@pytest.mark.parametrize("interrupt", ["drop", "kill"])
async def test_given_a_live_subscription_when_its_connection_breaks_then_it_goes_on_where_it_was(
    store: EventStoreDB, server: StandIn, interrupt: str
) -> None:
    subscription = store.subscribe(after=BEGINNING, prefixes=["a-"])
    await batches_until(subscription, 0)
    first, second = new_events(2), new_events(2)
    await store.append("a-1", first, NO_STREAM)
    assert ids(await follow(subscription, 2)) == ids(first)

    if interrupt == "drop":
        server.tell("drop")
    else:
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
    coming = asyncio.create_task(follow(subscription, 2))
    await store.append("a-1", second, 1)

    assert ids(await coming) == ids(second)


async def test_given_a_subscription_that_catches_up_when_its_connection_breaks_then_it_misses_and_repeats_nothing(
    store: EventStoreDB, server: StandIn
) -> None:
    events = new_events(5000)
    for number in range(10):
        await store.append(f"a-{number}", events[number * 500 : number * 500 + 500], NO_STREAM)
    subscription = store.subscribe(after=BEGINNING, prefixes=["a-"])

    told = [event for batch in await batches_until(subscription, 500, caught_up=False) for event in batch.events]
    await asyncio.to_thread(server.kill)
    await asyncio.to_thread(server.start)
    batches = await batches_until(subscription, 5000 - len(told))

    assert ids(told + [event for batch in batches for event in batch.events]) == ids(events)


async def test_given_a_server_that_stays_away_when_following_then_it_is_told_and_the_next_read_tries_again(
    store: EventStoreDB, server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neuroglia.event_sourcing.adapters.eventstoredb._TRIES", 2)
    event = new_event()
    await store.append("a-1", [event], NO_STREAM)
    await asyncio.to_thread(server.kill)
    subscription = store.subscribe(after=BEGINNING, prefixes=["a-"])
    with pytest.raises(Unavailable):
        await anext(subscription)

    await asyncio.to_thread(server.start)

    assert ids(await follow(subscription, 1)) == [event.id]


async def test_given_a_subscription_that_reads_when_it_is_stopped_then_it_asks_for_no_feed_any_more(
    store: EventStoreDB,
) -> None:
    subscription = store.subscribe(after=BEGINNING, prefixes=["a-"])
    await batches_until(subscription, 0)
    reading = asyncio.create_task(batches_until(subscription, 1))
    await asyncio.sleep(0)  # lets it begin

    await subscription.stop()

    await asyncio.wait([reading])
    assert isinstance(reading.exception(), StopAsyncIteration)

    async def nothing_goes_on() -> bool:
        return len(asyncio.all_tasks()) == 1

    await eventually(nothing_goes_on)


async def test_given_own_events_far_apart_when_the_log_is_read_on_then_no_deadline_cuts_that_short(
    store: EventStoreDB, server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server looks through those of others, for as long as that takes."""
    events = new_events(1)
    await store.append("a-1", events, NO_STREAM)
    monkeypatch.setattr("neuroglia.event_sourcing.adapters.esdb_client._DEADLINE_S", 0.1)
    monkeypatch.setattr("neuroglia.event_sourcing.adapters.esdb_client._LIMIT_S", 0.1)
    server.tell("delay 0.4")
    with pytest.raises(Unavailable):
        await stream_of(store, "a-1")
    server.tell("delay 0")
    monkeypatch.setattr("neuroglia.event_sourcing.adapters.esdb_client._DEADLINE_S", 1.0)
    monkeypatch.setattr("neuroglia.event_sourcing.adapters.esdb_client._LIMIT_S", 1.0)
    server.tell("dig 3")

    reading = store.read_all(prefixes=["a-"]), follow(store.subscribe(after=BEGINNING, prefixes=["a-"]), 1)
    page, followed = await asyncio.gather(*reading)

    assert ids(page.events) == ids(followed) == ids(events)


async def test_given_a_server_that_falls_silent_when_calling_then_each_call_ends_and_it_goes_on_when_it_wakes(
    store: EventStoreDB, server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connections stand, for the system keeps them: nothing but a deadline tells."""
    first, second = new_events(1), new_events(1)
    await store.append("a-1", first, NO_STREAM)
    monkeypatch.setattr("neuroglia.event_sourcing.adapters.esdb_client._DEADLINE_S", 0.2)
    monkeypatch.setattr("neuroglia.event_sourcing.adapters.esdb_client._LIMIT_S", 1.0)
    server.pause()
    calls = [
        store.append("a-1", second, 0),
        store.read_page("a-1", after=-1, limit=9),
        store.read_all(prefixes=["a-"]),
        store.head(),
        store.ping(),
    ]

    async with asyncio.timeout(LIMIT_S):
        ends = await asyncio.gather(*calls, return_exceptions=True)

    assert [type(end) for end in ends] == [Unavailable] * len(calls)
    server.resume()
    monkeypatch.undo()
    await insist_on(partial(store.append, "a-1", second, 0))
    assert ids((await store.read_all(prefixes=["a-"])).events) == [*ids(first), *ids(second)]


async def test_given_a_server_that_tells_no_positions_when_reading_a_stream_then_it_is_refused_as_too_old(
    store: EventStoreDB, server: StandIn
) -> None:
    await store.append("a-1", new_events(1), NO_STREAM)
    server.tell("age")

    with pytest.raises(ConfigurationError, match=r"EVENT_STORE_URL: this server is too old, version 23\.10 is needed"):
        await stream_of(store, "a-1")


async def test_given_a_server_that_is_away_when_calling_then_it_is_unavailable_and_tells_no_data(
    store: EventStoreDB, server: StandIn
) -> None:
    await asyncio.to_thread(server.kill)

    calls = [
        store.append("secret-1", new_events(1), NO_STREAM),
        stream_of(store, "secret-1"),
        store.read_all(prefixes=["secret-"]),
        store.head(),
        store.ping(),
    ]
    for call in calls:
        with pytest.raises(Unavailable) as unavailable:
            await call
        assert "secret" not in str(unavailable.value)


async def test_given_no_server_when_opening_then_it_is_unavailable(tmp_path: Path) -> None:
    server = StandIn(tmp_path / "log").start()
    server.kill()

    with pytest.raises(Unavailable):
        await EventStoreDB(server.url).open()


async def test_given_a_closed_store_when_calling_then_it_stays_closed(
    server: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neuroglia.event_sourcing.adapters.eventstoredb._TRIES", 1)
    store = EventStoreDB(server.url)
    await store.open()
    await store.aclose()

    for call in (
        store.head(),
        store.append("a-1", new_events(1), NO_STREAM),
        anext(store.subscribe(after=-1, prefixes=[])),
    ):
        with pytest.raises(Unavailable, match="closed"):
            await call


async def test_given_a_reader_that_is_cancelled_when_a_stream_comes_slowly_then_it_ends_as_cancelled(
    store: EventStoreDB, server: StandIn
) -> None:
    await store.append("a-1", new_events(1), NO_STREAM)
    server.tell("delay 60")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await stream_of(store, "a-1")


async def test_given_reads_that_another_call_cuts_short_when_reading_then_no_part_passes_for_the_whole(
    store: EventStoreDB, server: StandIn
) -> None:
    await store.append("a-1", new_events(2000), NO_STREAM)

    async def length() -> int | None:
        try:
            return len(await stream_of(store, "a-1"))
        except Unavailable:
            return None

    reading = [asyncio.create_task(length()) for _ in range(16)]
    for _ in range(5):
        server.tell("refuse 1")
        await store.head()  # finds the server not ready, and connects anew: for all

    assert {await task for task in reading} <= {2000, None}


async def test_given_a_cluster_url_when_opening_then_the_leader_is_found_by_gossip(server: StandIn) -> None:
    store = connect_event_store(server.url.replace("esdb:", "esdb+discover:"))
    await store.open()

    assert (await store.append("a-1", new_events(1), NO_STREAM)).revision == 0
    await store.aclose()


def test_given_a_broken_url_when_connecting_then_it_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="EVENT_STORE_URL"):
        connect_event_store("esdb://127.0.0.1:2113?tlss=false")


@pytest.mark.parametrize("preference", ["follower", "Random", "readonlyreplica"])
def test_given_a_url_that_prefers_other_nodes_than_the_leader_when_connecting_then_it_is_refused(
    preference: str,
) -> None:
    with pytest.raises(ConfigurationError, match="EVENT_STORE_URL: NodePreference has to be leader"):
        connect_event_store(f"esdb://127.0.0.1:2113?tls=false&nodePreference={preference}")
    connect_event_store("esdb://127.0.0.1:2113?tls=false&nodePreference=Leader")


async def test_given_reads_that_lag_when_appending_too_late_then_the_conflict_tells_the_writers_revision(
    store: EventStoreDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real server decides before what it has written can be read."""
    await store.append("a-1", new_events(3), NO_STREAM)

    async def nothing_yet(*_: object, **__: object) -> list[object]:
        return []

    monkeypatch.setattr(store._client, "stream", nothing_yet)
    for expected, stream, actual in ((0, "a-1", 2), (7, "a-2", NO_STREAM)):
        with pytest.raises(ConcurrencyError) as conflict:
            await store.append(stream, new_events(1), expected)
        assert (conflict.value.expected, conflict.value.actual) == (expected, actual)


async def test_given_calls_that_are_cancelled_at_any_moment_then_each_ends_as_cancelled(store: EventStoreDB) -> None:
    """The client's iterators lose about one cancellation in ten, when it comes together with an answer."""
    await store.append("a-1", new_events(2), NO_STREAM)
    moments, lost = random.Random(1), 0
    for _ in range(500):
        task = asyncio.create_task(store.last_position(prefixes=["a-"], at_most=2**63 - 1))
        await asyncio.wait([task], timeout=moments.uniform(0, 0.003))
        cancelled = task.cancel()
        await asyncio.wait([task])
        lost += cancelled and not task.cancelled()

    assert lost == 0


async def test_given_a_server_that_takes_a_repeat_for_a_rival_when_the_same_events_come_again_then_they_are_found(
    store: EventStoreDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other = new_events(2), new_events(1)
    appended = await store.append("a-1", first, NO_STREAM)
    await store.append("a-1", other, 1)

    async def refuse(*_: object) -> int:
        raise WrongRevision(2)

    monkeypatch.setattr(store._client, "append", refuse)

    assert await store.append("a-1", first, NO_STREAM) == appended
    with pytest.raises(ConcurrencyError) as conflict:
        await store.append("a-1", new_events(1), NO_STREAM)
    assert conflict.value.actual == 2
