"""Aggregates from the event store and back."""

import asyncio
import json
from datetime import timedelta

import pytest

from neuroglia.core import ConcurrencyError, NotFoundError, Principal, RequestContext, Unavailable
from neuroglia.event_sourcing import UndecodableEvent, UnknownEventType, stream_name
from tests.framework.event_sourcing.counting import Counter, CounterClosed, CounterIncreased, CounterOpened
from tests.framework.event_sourcing.events import NOON, stream_of
from tests.framework.event_sourcing.world import World

SECOND = timedelta(seconds=1)


async def test_given_a_new_aggregate_when_it_is_saved_and_loaded_then_it_is_the_same(world: World) -> None:
    counter = Counter.open("1", "steps")
    counter.increase(2)
    counter.increase(3)
    await world.repository().save(counter)

    loaded = await world.repository().get("1")

    assert loaded is not counter
    assert (loaded.id, loaded.name, loaded.total, loaded.version) == ("1", "steps", 5, 2)
    assert loaded.pending == ()


async def test_given_no_stream_when_loading_then_it_is_not_found(world: World) -> None:
    await world.happened("10", CounterOpened(name="x"))

    with pytest.raises(NotFoundError) as missing:
        await world.repository().get("1")

    assert (missing.value.kind, missing.value.id) == ("counter", "1")


async def test_given_a_store_that_is_down_when_loading_then_it_is_unavailable_and_not_missing(world: World) -> None:
    await world.happened("1", CounterOpened(name="x"))
    await world.events.aclose()

    for id in ("1", "2"):
        with pytest.raises(Unavailable):
            await world.repository().get(id)


async def test_given_a_loaded_aggregate_when_another_saves_first_then_it_is_a_conflict_and_nothing_is_stored(
    world: World,
) -> None:
    await world.happened("1", CounterOpened(name="x"))
    mine, theirs = await world.repository().get("1"), await world.repository().get("1")
    theirs.increase(1)
    await world.repository().save(theirs)
    mine.increase(2)

    with pytest.raises(ConcurrencyError) as conflict:
        await world.repository().save(mine)

    assert (conflict.value.stream, conflict.value.expected, conflict.value.actual) == ("counter-1", 0, 1)
    assert mine.pending == (CounterIncreased(by=2, note=None),)
    assert mine.version == 0
    assert (await world.repository().get("1")).total == 1


async def test_given_two_new_aggregates_with_one_id_when_both_are_saved_then_one_is_a_conflict(world: World) -> None:
    await world.repository().save(Counter.open("1", "first"))

    with pytest.raises(ConcurrencyError) as conflict:
        await world.repository().save(Counter.open("1", "second"))

    assert (conflict.value.expected, conflict.value.actual) == (-1, 0)
    assert (await world.repository().get("1")).name == "first"


async def test_given_rivals_when_all_save_at_once_then_one_wins(world: World) -> None:
    await world.happened("1", CounterOpened(name="x"))
    rivals = [await world.repository().get("1") for _ in range(8)]
    for rival in rivals:
        rival.increase(1)

    answers = await asyncio.gather(*(world.repository().save(rival) for rival in rivals), return_exceptions=True)

    assert sum(isinstance(answer, ConcurrencyError) for answer in answers) == 7
    assert (await world.repository().get("1")).total == 1


async def test_given_a_failed_save_when_the_store_is_back_then_the_same_events_are_saved_once() -> None:
    counter = Counter.open("1", "x")
    async with World.open() as world:
        await world.events.aclose()
        with pytest.raises(Unavailable):
            await world.repository().save(counter)
        assert counter.pending == (CounterOpened(name="x"),)
        assert (counter.version, counter.created_at) == (-1, None)

        await world.events.open()
        await world.repository().save(counter)

        assert counter.pending == ()
        assert counter.version == 0
        assert len(await stream_of(world.events, "counter-1")) == 1


async def test_given_a_saved_aggregate_when_it_is_saved_again_then_nothing_is_appended(world: World) -> None:
    counter = Counter.open("1")
    context = RequestContext.new()
    await world.repository().save(counter)
    head = await world.events.head()

    assert await world.repository(context).save(counter) == []

    assert await world.events.head() == head
    assert context.reply.event_position is None


async def test_given_a_saved_aggregate_when_it_decides_on_then_only_the_new_events_are_appended(world: World) -> None:
    counter = Counter.open("1")
    await world.repository().save(counter)
    counter.increase(1)
    await world.repository().save(counter)
    counter.increase(1)
    counter.increase(1)

    envelopes = await world.repository().save(counter)

    assert [envelope.revision for envelope in envelopes] == [2, 3]
    assert [event.revision for event in await stream_of(world.events, "counter-1")] == [0, 1, 2, 3]
    assert (await world.repository().get("1")).total == 3


async def test_when_saving_then_the_envelopes_and_the_reply_tell_what_was_stored(world: World) -> None:
    context = RequestContext(correlation_id="request", causation_id="message", principal=Principal("ada"))
    counter = Counter.open("1", "x")
    counter.increase(5)

    envelopes = await world.repository(context).save(counter)

    first, second = await stream_of(world.events, stream_name(Counter, "1"))
    assert [envelope.event for envelope in envelopes] == [CounterOpened(name="x"), CounterIncreased(by=5, note=None)]
    assert [envelope.id for envelope in envelopes] == [first.id, second.id]
    assert [envelope.position for envelope in envelopes] == [second.position, second.position]
    assert context.reply.event_position == second.position
    for envelope, stored in zip(envelopes, (first, second), strict=True):
        assert (envelope.stream, envelope.revision, envelope.aggregate_id) == (stored.stream, stored.revision, "1")
        assert (envelope.recorded_at, stored.recorded_at) == (NOON, NOON)
        assert (stored.correlation_id, envelope.correlation_id) == ("request", "request")
        assert (stored.causation_id, envelope.causation_id) == ("message", "message")
        assert (stored.actor, envelope.actor) == ("ada", "ada")


async def test_given_a_clock_that_is_set_back_when_saving_then_time_does_not_go_back_within_the_stream(
    world: World,
) -> None:
    counter = Counter.open("1")
    await world.repository().save(counter)
    for step in (SECOND, -10 * SECOND, -SECOND, 20 * SECOND):
        world.clock.advance(step)
        loaded = await world.repository().get("1")
        loaded.increase(1)
        await world.repository().save(loaded)
        assert loaded.modified_at == (await world.repository().get("1")).modified_at

    times = [event.recorded_at for event in await stream_of(world.events, "counter-1")]

    assert times == [NOON, NOON + SECOND, NOON + SECOND, NOON + SECOND, NOON + 10 * SECOND]


async def test_given_several_saves_when_loading_then_it_knows_its_age_and_version(world: World) -> None:
    counter = Counter.open("1")
    assert (counter.version, counter.created_at, counter.modified_at) == (-1, None, None)
    await world.repository().save(counter)
    world.clock.advance(SECOND)
    counter.increase(1)
    await world.repository().save(counter)

    loaded = await world.repository().get("1")

    for one in (counter, loaded):
        assert (one.version, one.created_at, one.modified_at) == (1, NOON, NOON + SECOND)


async def test_given_an_unknown_event_when_loading_then_it_stops_and_names_it(world: World) -> None:
    await world.happened("1", CounterOpened(name="x"))
    await world.happened_raw("1", "test.counter-exploded.v1", b"{}", expected=0)

    with pytest.raises(UnknownEventType, match=r"counter-1@1 is of the unknown type test\.counter-exploded\.v1"):
        await world.repository().get("1")


async def test_given_an_event_that_does_not_fit_when_loading_then_it_stops_and_names_it(world: World) -> None:
    await world.happened_raw("1", "test.counter-opened.v1", b'{"name":null}', expected=-1)

    with pytest.raises(UndecodableEvent, match=r"counter-1@0 \(test\.counter-opened\.v1\)"):
        await world.repository().get("1")


async def test_given_an_event_that_the_aggregate_does_not_take_when_loading_then_the_remedy_is_told(
    world: World,
) -> None:
    await world.happened("1", CounterOpened(name="x"), CounterClosed())

    with pytest.raises(TypeError, match="Counter has no @when method for CounterClosed; add one"):
        await world.repository().get("1")


async def test_given_events_of_old_shapes_when_loading_then_they_count_and_stay_as_they_were_stored(
    world: World,
) -> None:
    await world.happened("1", CounterOpened(name="x"))
    await world.happened_raw("1", "test.counter-increased.v0", b'{"plus":1}', expected=0)
    await world.happened_raw("1", "test.counter-increased.v1", b'{"by":2}', expected=1)
    loaded = await world.repository().get("1")
    loaded.increase(4, "new")
    await world.repository().save(loaded)

    assert (await world.repository().get("1")).total == 7
    stored = await stream_of(world.events, "counter-1")
    assert [event.type.rpartition(".")[2] for event in stored] == ["v1", "v0", "v1", "v2"]
    assert [json.loads(event.data) for event in stored[1:]] == [{"plus": 1}, {"by": 2}, {"by": 4, "note": "new"}]


async def test_given_a_long_history_when_loading_then_all_of_it_counts(world: World) -> None:
    await world.happened("1", CounterOpened(name="x"), *(CounterIncreased(by=1, note=None) for _ in range(1200)))

    loaded = await world.repository().get("1")

    assert (loaded.total, loaded.version) == (1200, 1200)


async def test_given_a_history_when_asking_for_a_moment_then_it_is_the_longest_prefix_until_then(world: World) -> None:
    counter = Counter.open("1", "x")
    await world.repository().save(counter)
    for by in (1, 10):
        world.clock.advance(SECOND)
        counter.increase(by)
        await world.repository().save(counter)

    totals = [(await world.repository().as_of("1", NOON + SECOND * after)).total for after in (0, 1, 2, 3)]

    assert totals == [0, 1, 11, 11]
    with pytest.raises(NotFoundError):
        await world.repository().as_of("1", NOON - SECOND)


async def test_given_an_aggregate_of_the_past_when_it_decides_then_that_is_a_mistake(world: World) -> None:
    await world.repository().save(Counter.open("1", "x"))
    past = await world.repository().as_of("1", NOON)

    with pytest.raises(RuntimeError, match="Counter is one of the past"):
        past.increase(1)
