"""What every event store promises of reading a stream."""

import json
from contextlib import suppress
from dataclasses import fields, replace
from datetime import datetime, timedelta, timezone

import pytest

from neuroglia.core import ConcurrencyError
from neuroglia.event_sourcing import NO_STREAM, EventMetadata, EventStore
from tests.framework.event_sourcing.contract.adapters import on_shared_data
from tests.framework.event_sourcing.contract.conftest import OpenStore
from tests.framework.event_sourcing.events import NOON, ids, new_event, new_events, stream_of
from tests.support.waiting import ends_when_cancelled


async def test_given_no_stream_when_reading_then_there_is_nothing(store: EventStore, category: str) -> None:
    await store.append(f"{category}-10", new_events(1), NO_STREAM)

    assert await stream_of(store, f"{category}-1") == []


@pytest.mark.parametrize(
    ("after", "limit", "revisions"),
    [
        (-1, None, [0, 1, 2, 3, 4]),
        (-1, 2, [0, 1]),
        (1, None, [2, 3, 4]),
        (1, 2, [2, 3]),
        (3, 9, [4]),
        (4, None, []),
        (99, 2, []),
        (-1, 0, []),
    ],
)
async def test_given_a_stream_when_reading_a_part_then_it_is_that_part(
    store: EventStore, category: str, after: int, limit: int | None, revisions: list[int]
) -> None:
    await store.append(f"{category}-1", new_events(5), NO_STREAM)

    found = [event.revision async for event in store.read(f"{category}-1", after=after, limit=limit)]

    assert found == revisions


@pytest.mark.parametrize("limit", [None, 500, 999, 1000, 1001, 5000])
async def test_given_a_long_stream_when_reading_then_it_is_complete_and_in_order(
    store: EventStore, category: str, limit: int | None
) -> None:
    events = new_events(1203)
    await store.append(f"{category}-1", events, NO_STREAM)

    found = [event async for event in store.read(f"{category}-1", limit=limit)]

    assert ids(found) == ids(events[:limit])
    assert [event.revision for event in found] == list(range(len(found)))


@pytest.mark.parametrize("causation_id", [None, "cause", ""])
async def test_given_metadata_when_reading_then_all_of_it_comes_back(
    store: EventStore, category: str, causation_id: str | None
) -> None:
    event = new_event(b'{"a":1}', causation_id=causation_id)
    appended = await store.append(f"{category}-1", [event], NO_STREAM)

    (stored,) = await stream_of(store, f"{category}-1")

    assert (stored.stream, stored.revision, stored.position) == (f"{category}-1", 0, appended.position)
    assert (stored.id, stored.type, json.loads(stored.data)) == (event.id, event.type, {"a": 1})
    recorded = {field.name: getattr(event.metadata, field.name) for field in fields(EventMetadata)}
    assert {name: getattr(stored, name) for name in recorded} == recorded


async def test_given_a_time_of_another_zone_when_reading_then_it_is_the_same_moment_in_utc(
    store: EventStore, category: str
) -> None:
    there = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    event = new_event()
    event = replace(event, metadata=replace(event.metadata, recorded_at=there))
    await store.append(f"{category}-1", [event], NO_STREAM)

    (stored,) = await stream_of(store, f"{category}-1")

    assert stored.recorded_at == NOON
    assert stored.recorded_at.utcoffset() == timedelta(0)


async def test_given_a_time_without_zone_when_appending_then_it_is_refused(store: EventStore, category: str) -> None:
    event = new_event()
    event = replace(event, metadata=replace(event.metadata, recorded_at=datetime(2025, 1, 31)))  # noqa: DTZ001

    with pytest.raises(ValueError, match="naive"):
        await store.append(f"{category}-1", [event], NO_STREAM)

    assert await stream_of(store, f"{category}-1") == []


@pytest.mark.parametrize(
    "text",
    ["x" * 1_000_000, "Grüße, 東京 🏦 \u202e \ufeff \U0010ffff", "quote \" ' ; -- \\ \n \t \u0000 \u2028", ""],
    ids=["1 MB", "unicode", "special", "empty"],
)
async def test_given_unusual_data_when_reading_then_it_comes_back_unchanged(
    store: EventStore, category: str, text: str
) -> None:
    data = json.dumps({"text": text}, ensure_ascii=False).encode()
    await store.append(f"{category}-1", [new_event(data)], NO_STREAM)

    (stored,) = await stream_of(store, f"{category}-1")

    assert json.loads(stored.data) == {"text": text}


@pytest.mark.parametrize("id", ["a-b-c", "ü 東京", "'; DROP TABLE events; --", "%", "a/b?c=d&e#f"])
async def test_given_an_unusual_name_when_reading_then_it_is_that_stream_alone(
    store: EventStore, category: str, id: str
) -> None:
    events = new_events(2)
    await store.append(f"{category}-{id}", events, NO_STREAM)
    await store.append(f"{category}-x", new_events(1), NO_STREAM)

    assert ids(await stream_of(store, f"{category}-{id}")) == ids(events)


@on_shared_data
async def test_given_a_closed_store_when_it_is_opened_again_then_everything_is_there(
    open_store: OpenStore, category: str
) -> None:
    first = await open_store()
    events = new_events(3)
    appended = await first.append(f"{category}-1", events, NO_STREAM)
    before = await stream_of(first, f"{category}-1")
    await first.aclose()

    second = await open_store()

    assert await stream_of(second, f"{category}-1") == before
    assert await second.append(f"{category}-1", events, NO_STREAM) == appended
    assert (await second.append(f"{category}-1", new_events(1), 2)).position > appended.position


async def test_given_an_open_store_when_it_is_asked_how_it_is_then_it_answers(store: EventStore) -> None:
    await store.ping()


async def test_given_a_task_that_never_pauses_when_it_is_cancelled_at_any_step_then_it_ends(
    store: EventStore, category: str
) -> None:
    async def append_and_read() -> None:
        count = len(await stream_of(store, f"{category}-1"))
        with suppress(ConcurrencyError):  # the task before was cancelled, but its event may still be appended
            await store.append(f"{category}-1", new_events(1), count - 1)

    assert await ends_when_cancelled(append_and_read)
