"""What every event store promises of the log."""

import pytest

from neuroglia.event_sourcing import NO_STREAM, EventStore
from tests.framework.event_sourcing.events import ids, log_of, new_events, stream_of
from tests.support.hostile import HOSTILE


async def test_given_several_streams_when_reading_the_log_then_it_is_in_the_order_of_the_appends(
    store: EventStore, category: str, start: int
) -> None:
    written = new_events(6)
    for stream, event, expected in zip("abacba", written, [-1, -1, 0, -1, 0, 1], strict=True):
        await store.append(f"{category}-{stream}", [event], expected)

    log = await log_of(store, start, f"{category}-")

    assert ids(log) == ids(written)
    positions = [event.position for event in log]
    assert positions == sorted(set(positions))
    assert positions[0] > start


async def test_given_a_log_when_asking_what_stands_at_a_position_then_it_is_that_event_alone(
    store: EventStore, category: str, start: int
) -> None:
    for stream, expected in (("a", NO_STREAM), ("b", NO_STREAM), ("a", 1)):
        await store.append(f"{category}-{stream}", new_events(2), expected)

    log = await log_of(store, start, f"{category}-")

    assert [await store.at(event.position) for event in log] == log


async def test_given_a_log_when_reading_without_prefixes_then_all_streams_are_in_it(
    store: EventStore, category: str, start: int
) -> None:
    await store.append(f"{category}a-1", new_events(1), NO_STREAM)
    await store.append(f"{category}b-1", new_events(1), NO_STREAM)

    streams = [event.stream for event in await log_of(store, start)]

    assert [stream for stream in streams if stream.startswith(category)] == [f"{category}a-1", f"{category}b-1"]


@pytest.mark.parametrize(
    ("prefixes", "matching"),
    [
        (["account-"], ["account-1", "account-\U0010ffff"]),
        (["account"], ["account-1", "accounting-1", "account-\U0010ffff"]),
        (["account-", "accounting-"], ["account-1", "accounting-1", "account-\U0010ffff"]),
        (["account-", "account-1"], ["account-1", "account-\U0010ffff"]),
        (["Account-"], []),
        (["a_c-"], ["a_c-1"]),
        (["a%-"], ["a%-1"]),
        (["a*-"], []),
        (["ü"], ["ü-1", "über-1"]),
        (["u"], []),
        (["über-"], ["über-1"]),
        (["🏦-"], ["🏦-1"]),
        (["' OR 1=1 --"], []),
    ],
)
async def test_given_similar_names_when_reading_by_prefix_then_only_the_streams_that_start_so_are_told(
    store: EventStore, category: str, start: int, prefixes: list[str], matching: list[str]
) -> None:
    names = ["account-1", "accounting-1", "a_c-1", "abc-1", "a%-1", "ü-1", "über-1", "🏦-1", "account-\U0010ffff"]
    for name in names:
        await store.append(f"{category}{name}", new_events(1), NO_STREAM)

    log = await log_of(store, start, *(f"{category}{prefix}" for prefix in prefixes))

    assert [event.stream for event in log] == [f"{category}{name}" for name in matching]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_given_a_hostile_name_when_reading_then_it_is_that_stream_alone(
    store: EventStore, category: str, start: int, text: str
) -> None:
    plain, other, hostile = new_events(1), new_events(1), new_events(2)
    await store.append(f"{category}-", plain, NO_STREAM)
    await store.append(f"{category}-a", other, NO_STREAM)
    await store.append(f"{category}-{text}", hostile, NO_STREAM)

    assert ids(await stream_of(store, f"{category}-{text}")) == ids(hostile)
    assert ids(await stream_of(store, f"{category}-a")) == ids(other)
    assert ids(await log_of(store, start, f"{category}-")) == ids([*plain, *other, *hostile])


async def test_given_a_long_log_when_reading_page_by_page_then_it_is_complete(
    store: EventStore, category: str, start: int
) -> None:
    written = [*new_events(700), *new_events(500), *new_events(3)]
    await store.append(f"{category}-1", written[:700], NO_STREAM)
    await store.append(f"{category}-2", written[700:1200], NO_STREAM)
    await store.append(f"{category}-3", written[1200:], NO_STREAM)

    assert ids(await log_of(store, start, f"{category}-")) == ids(written)
    first = await store.read_all(after=start, prefixes=[f"{category}-"])
    assert len(first.events) == 500
    assert not first.caught_up


async def test_given_a_log_when_reading_with_a_limit_then_it_says_whether_there_is_more(
    store: EventStore, category: str, start: int
) -> None:
    await store.append(f"{category}-1", new_events(3), NO_STREAM)
    prefixes = [f"{category}-"]

    two = await store.read_all(after=start, prefixes=prefixes, limit=2)
    four = await store.read_all(after=start, prefixes=prefixes, limit=4)
    nothing = await store.read_all(after=four.events[-1].position, prefixes=prefixes, limit=4)

    assert (len(two.events), two.caught_up) == (2, False)
    assert (len(four.events), four.caught_up) == (3, True)
    assert (len(nothing.events), nothing.caught_up) == (0, True)


async def test_when_appending_then_the_head_is_where_the_last_event_stands(
    store: EventStore, category: str, start: int
) -> None:
    first = await store.append(f"{category}-1", new_events(2), NO_STREAM)
    assert await store.head() == first.position > start

    second = await store.append(f"{category}-2", new_events(1), NO_STREAM)
    assert await store.head() == second.position > first.position


async def test_given_a_log_when_asking_for_the_last_position_then_it_is_that_of_these_streams_up_to_there(
    store: EventStore, category: str, start: int
) -> None:
    a = await store.append(f"{category}a-1", new_events(2), NO_STREAM)
    b = await store.append(f"{category}b-1", new_events(1), NO_STREAM)
    a2 = await store.append(f"{category}a-1", new_events(1), 1)
    prefixes = [f"{category}a-"]

    assert await store.last_position(prefixes=prefixes, at_most=a2.position) == a2.position
    assert await store.last_position(prefixes=prefixes, at_most=a2.position + 1000) == a2.position
    assert await store.last_position(prefixes=prefixes, at_most=b.position) == a.position
    assert await store.last_position(prefixes=[*prefixes, f"{category}b-"], at_most=b.position) == b.position
    assert await store.last_position(prefixes=prefixes, at_most=start) == -1
    assert await store.last_position(prefixes=[f"{category}c-"], at_most=a2.position) == -1
