"""What others do to EventStoreDB with its own tools: on the stand-in, and on a real one."""

import json
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from esdbclient import AsyncEventStoreDBClient, NewEvent as Foreign, StreamState

from neuroglia.core import ConcurrencyError
from neuroglia.event_sourcing import BEGINNING, NO_STREAM, Appended
from neuroglia.event_sourcing.adapters.eventstoredb import EventStoreDB
from tests.framework.event_sourcing.contract.adapters import SERVERS, Adapter
from tests.framework.event_sourcing.events import follow, ids, log_of, new_event, new_events, stream_of

pytestmark = pytest.mark.integration


@pytest.fixture(params=SERVERS)
def url(request: pytest.FixtureRequest) -> str:
    adapter: Adapter = request.param
    return adapter.place(request)


@pytest.fixture
def category() -> str:
    """A category of streams that no other test uses."""
    return f"c{uuid4().hex}"


@pytest.fixture
async def store(url: str) -> AsyncIterator[EventStoreDB]:
    store = EventStoreDB(url)
    await store.open()
    yield store
    await store.aclose()


@pytest.fixture
async def foreign(url: str) -> AsyncIterator[AsyncEventStoreDBClient]:
    """Somebody else's client on the same server."""
    client = AsyncEventStoreDBClient(url)
    await client.connect()
    yield client
    await client.close()


async def test_given_a_stream_that_somebody_deleted_when_it_begins_anew_then_its_revisions_go_on(
    store: EventStoreDB, foreign: AsyncEventStoreDBClient, category: str
) -> None:
    await store.append(f"{category}-1", new_events(3), NO_STREAM)
    await foreign.delete_stream(f"{category}-1", current_version=StreamState.EXISTS)
    assert await stream_of(store, f"{category}-1") == []
    anew = new_events(2)

    appended = await store.append(f"{category}-1", anew, NO_STREAM)

    stored = await stream_of(store, f"{category}-1")
    assert ids(stored) == ids(anew)
    assert appended == Appended(4, stored[-1].position) == await store.append(f"{category}-1", anew, NO_STREAM)
    assert (await store.append(f"{category}-1", new_events(1), 4)).revision == 5


async def test_given_a_stream_that_somebody_ended_for_ever_when_appending_then_it_is_a_conflict_and_readers_go_on(
    store: EventStoreDB, foreign: AsyncEventStoreDBClient, category: str
) -> None:
    await store.append(f"{category}-1", new_events(1), NO_STREAM)
    await foreign.tombstone_stream(f"{category}-1", current_version=StreamState.ANY)
    after = await store.append(f"{category}-2", new_events(1), NO_STREAM)

    for expected in (NO_STREAM, 0):
        with pytest.raises(ConcurrencyError):
            await store.append(f"{category}-1", new_events(1), expected)
    assert await stream_of(store, f"{category}-1") == []
    assert [event.stream for event in await log_of(store, BEGINNING, f"{category}-")] == [
        f"{category}-1",
        f"{category}-2",
    ]
    assert len(await follow(store.subscribe(after=BEGINNING, prefixes=[f"{category}-"]), 2)) == 2
    assert await store.head() == after.position


async def test_given_a_truncated_stream_when_reading_then_what_is_left_comes(
    store: EventStoreDB, foreign: AsyncEventStoreDBClient, category: str
) -> None:
    await store.append(f"{category}-1", new_events(5), NO_STREAM)
    await foreign.set_stream_metadata(f"{category}-1", metadata={"$tb": 3})

    assert [event.revision for event in await stream_of(store, f"{category}-1")] == [3, 4]
    assert (await store.append(f"{category}-1", new_events(1), 4)).revision == 5


@pytest.mark.parametrize(
    "metadata",
    [b"", b"\xff\x00", b"[1]", b'"x"', b'{"$correlationId": 7, "recorded_at": "2025-01-31"}', b"[" * 100_000],
)
async def test_given_events_of_others_when_reading_then_they_are_told_as_far_as_they_can_be(
    store: EventStoreDB, foreign: AsyncEventStoreDBClient, category: str, metadata: bytes
) -> None:
    event = Foreign(type="theirs", data=b"\x00\xff", metadata=metadata, content_type="application/octet-stream")
    await foreign.append_to_stream(f"{category}-1", current_version=StreamState.NO_STREAM, events=[event])

    (stored,) = await stream_of(store, f"{category}-1")

    assert (stored.id, stored.type, stored.data) == (str(event.id), "theirs", b"\x00\xff")
    assert (stored.correlation_id, stored.causation_id, stored.actor) == ("", None, "")
    assert stored.recorded_at.tzinfo is not None
    assert [stored] == await log_of(store, BEGINNING, f"{category}-")
    assert [stored] == await follow(store.subscribe(after=BEGINNING, prefixes=[f"{category}-"]), 1)


async def test_given_many_system_events_in_the_log_when_reading_page_by_page_then_they_are_passed_over(
    store: EventStoreDB, foreign: AsyncEventStoreDBClient, category: str
) -> None:
    for number in range(3):
        links = [Foreign(type="$>", data=f"0@{category}-1".encode()) for _ in range(4)]
        await foreign.append_to_stream(f"{category}-{number}", current_version=StreamState.NO_STREAM, events=links)
    own = await store.append(f"{category}-9", new_events(1), NO_STREAM)

    batch = await store.read_all(prefixes=[f"{category}-"], limit=2)

    assert [event.stream for event in batch.events] == [f"{category}-9"]
    assert await store.last_position(prefixes=[f"{category}-"], at_most=own.position - 1) == BEGINNING


async def test_given_our_metadata_when_others_read_it_then_their_tools_know_the_causes(
    store: EventStoreDB, foreign: AsyncEventStoreDBClient, category: str
) -> None:
    await store.append(f"{category}-1", [new_event(causation_id=str(uuid4()))], NO_STREAM)

    (recorded,) = await foreign.get_stream(f"{category}-1")

    metadata = json.loads(recorded.metadata)
    assert metadata["$correlationId"] == "correlation"
    assert metadata["recorded_at"] == "2025-01-31T12:00:00.123456Z"
    assert set(metadata) == {"$correlationId", "$causationId", "actor", "recorded_at"}


async def test_given_more_than_the_server_takes_when_appending_then_it_is_an_error_and_no_outage(
    store: EventStoreDB, category: str
) -> None:
    half = new_event(b'"%s"' % (b"x" * 600_000))  # by default 1 MiB may come at once

    with pytest.raises(ValueError, match="larger"):
        await store.append(f"{category}-1", [half, new_event(half.data)], NO_STREAM)

    assert (await store.append(f"{category}-1", [half], NO_STREAM)).revision == 0
