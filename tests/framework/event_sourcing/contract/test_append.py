"""What every event store promises of `append`."""

import asyncio
from collections.abc import Sequence

import pytest

from neuroglia.core import ConcurrencyError
from neuroglia.event_sourcing import NO_STREAM, Appended, EventStore, NewEvent
from tests.framework.event_sourcing.events import follow, ids, log_of, new_event, new_events, stream_of


async def test_given_no_stream_when_appending_then_it_begins_at_revision_0(store: EventStore, category: str) -> None:
    events = new_events(3)

    appended = await store.append(f"{category}-1", events, NO_STREAM)

    stored = await stream_of(store, f"{category}-1")
    assert ids(stored) == ids(events)
    assert [event.revision for event in stored] == [0, 1, 2]
    assert appended == Appended(2, stored[-1].position)


async def test_given_a_stream_when_appending_at_its_revision_then_it_goes_on(store: EventStore, category: str) -> None:
    first, second = new_events(2), new_events(2)
    before = await store.append(f"{category}-1", first, NO_STREAM)

    after = await store.append(f"{category}-1", second, before.revision)

    assert after.revision == 3
    assert after.position > before.position
    assert ids(await stream_of(store, f"{category}-1")) == ids([*first, *second])


@pytest.mark.parametrize(("length", "expected"), [(0, 0), (0, 7), (1, NO_STREAM), (3, 1), (3, 3), (3, NO_STREAM)])
async def test_given_another_revision_when_appending_then_it_is_a_conflict_and_nothing_is_stored(
    store: EventStore, category: str, length: int, expected: int
) -> None:
    stream = f"{category}-1"
    if length:
        await store.append(stream, new_events(length), NO_STREAM)

    with pytest.raises(ConcurrencyError) as conflict:
        await store.append(stream, new_events(2), expected)

    assert (conflict.value.stream, conflict.value.expected, conflict.value.actual) == (stream, expected, length - 1)
    assert len(await stream_of(store, stream)) == length


@pytest.mark.parametrize("later", [0, 1, 3])
async def test_given_the_same_events_at_the_same_place_when_appending_again_then_the_answer_is_the_same(
    store: EventStore, category: str, later: int
) -> None:
    stream, events = f"{category}-1", new_events(2)
    await store.append(stream, new_events(1), NO_STREAM)
    first = await store.append(stream, events, 0)
    if later:
        await store.append(stream, new_events(later), first.revision)
    head = await store.head()

    assert await store.append(stream, events, 0) == first

    assert len(await stream_of(store, stream)) == 3 + later
    assert await store.head() == head


async def test_given_events_that_stand_elsewhere_when_appending_them_again_then_it_is_a_conflict(
    store: EventStore, category: str
) -> None:
    stream, events = f"{category}-1", new_events(4)
    await store.append(stream, events, NO_STREAM)
    attempts: Sequence[tuple[Sequence[NewEvent], int]] = [
        (events[:2], 0),  # one place too late
        (events[1:3], NO_STREAM),  # one place too early
        ([events[1], events[0]], NO_STREAM),  # in another order
        ([*events, new_event()], NO_STREAM),  # longer than what is there
        ([events[0], new_event()], NO_STREAM),  # half of them new
        (events, 9),  # behind the end
    ]

    for again, expected in attempts:
        with pytest.raises(ConcurrencyError):
            await store.append(stream, again, expected)

    assert ids(await stream_of(store, stream)) == ids(events)


async def test_given_the_same_ids_in_another_stream_when_appending_then_they_are_stored(
    store: EventStore, category: str
) -> None:
    events = new_events(2)
    await store.append(f"{category}-1", events, NO_STREAM)

    appended = await store.append(f"{category}-2", events, NO_STREAM)

    assert appended.revision == 1
    assert ids(await stream_of(store, f"{category}-2")) == ids(events)


async def test_when_appending_nothing_then_only_the_revision_is_checked(store: EventStore, category: str) -> None:
    stream = f"{category}-1"
    assert (await store.append(stream, [], NO_STREAM)).revision == NO_STREAM
    await store.append(stream, new_events(2), NO_STREAM)
    head = await store.head()

    assert (await store.append(stream, [], 1)).revision == 1
    for expected in (NO_STREAM, 0, 2):
        with pytest.raises(ConcurrencyError):
            await store.append(stream, [], expected)

    assert await store.head() == head


async def test_given_one_event_that_cannot_be_stored_when_appending_then_none_of_them_is(
    store: EventStore, category: str
) -> None:
    broken = new_event(type="test.\ud800")  # half a character: no store can hold it

    with pytest.raises(UnicodeEncodeError):
        await store.append(f"{category}-1", [new_event(), broken, new_event()], NO_STREAM)

    assert await stream_of(store, f"{category}-1") == []
    assert (await store.append(f"{category}-1", new_events(1), NO_STREAM)).revision == 0


async def test_given_64_rivals_for_one_revision_when_they_append_then_exactly_one_wins(
    store: EventStore, category: str
) -> None:
    stream = f"{category}-1"
    await store.append(stream, new_events(1), NO_STREAM)

    answers = await asyncio.gather(*(store.append(stream, new_events(2), 0) for _ in range(64)), return_exceptions=True)

    conflicts = [answer for answer in answers if isinstance(answer, ConcurrencyError)]
    assert len(conflicts) == 63
    assert {(conflict.expected, conflict.actual) for conflict in conflicts} == {(0, 2)}
    assert [event.revision for event in await stream_of(store, stream)] == [0, 1, 2]


async def test_given_64_streams_when_they_are_appended_at_once_then_all_succeed_and_a_follower_misses_nothing(
    store: EventStore, category: str, start: int
) -> None:
    follower = store.subscribe(after=start, prefixes=[f"{category}-"])
    following = asyncio.create_task(follow(follower, 64 * 3))

    async def write(number: int) -> list[Appended]:
        return [await store.append(f"{category}-{number}", new_events(1), revision) for revision in (-1, 0, 1)]

    written = await asyncio.gather(*(write(number) for number in range(64)))

    assert all([appended.revision for appended in answers] == [0, 1, 2] for answers in written)
    seen = await following
    log = await log_of(store, start, f"{category}-")
    positions = [event.position for event in log]
    assert positions == sorted(set(positions))
    assert sorted(appended.position for answers in written for appended in answers) == positions
    assert [event.position for event in seen] == positions
