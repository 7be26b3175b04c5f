"""What every event store promises of subscriptions."""

import asyncio

import pytest

from neuroglia.event_sourcing import NO_STREAM, Batch, EventStore, EventSubscription
from tests.framework.event_sourcing.contract.adapters import on_shared_data
from tests.framework.event_sourcing.events import LIMIT_S, batches_until, follow, ids, new_events


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1000])
async def test_given_a_history_when_subscribing_then_it_is_told_with_exactly_one_word_that_it_has_caught_up(
    store: EventStore, category: str, start: int, count: int
) -> None:
    events = new_events(count)
    await store.append(f"{category}-1", events, NO_STREAM)
    subscription = store.subscribe(after=start, prefixes=[f"{category}-"])

    batches = await batches_until(subscription, count)

    assert ids([event for batch in batches for event in batch.events]) == ids(events)
    assert [batch.caught_up for batch in batches] == [False] * (len(batches) - 1) + [True]
    assert all(batch.events for batch in batches[:-1])
    assert max(len(batch.events) for batch in batches) <= 500


async def test_given_a_subscription_that_has_caught_up_when_events_come_then_they_are_told_at_once_and_no_empty_batches(
    store: EventStore, category: str, start: int
) -> None:
    subscription = store.subscribe(after=start, prefixes=[f"{category}-"])
    assert await batches_until(subscription, 0) == [Batch([], caught_up=True)]

    for revision, event in enumerate(new_events(3), -1):
        coming = asyncio.create_task(batches_until(subscription, 1))
        await store.append(f"{category}-1", [event], revision)
        assert [ids(batch.events) for batch in await coming] == [[event.id]]


async def test_given_a_position_when_subscribing_behind_it_then_what_was_before_is_not_told(
    store: EventStore, category: str
) -> None:
    before = await store.append(f"{category}-1", new_events(3), NO_STREAM)
    later = new_events(2)
    await store.append(f"{category}-2", later, NO_STREAM)

    resumed = await follow(store.subscribe(after=before.position, prefixes=[f"{category}-"]), 2)

    assert ids(resumed) == ids(later)


async def test_given_a_position_inside_an_append_when_subscribing_behind_it_then_the_rest_of_the_append_is_told(
    store: EventStore, category: str, start: int
) -> None:
    events = new_events(5)
    await store.append(f"{category}-1", events, NO_STREAM)
    told = await follow(store.subscribe(after=start, prefixes=[f"{category}-"]), 5)

    for index, event in enumerate(told[:-1]):
        rest = await follow(store.subscribe(after=event.position, prefixes=[f"{category}-"]), 4 - index)
        assert ids(rest) == ids(events[index + 1 :])


async def test_given_prefixes_when_other_streams_grow_then_they_are_not_told(
    store: EventStore, category: str, start: int
) -> None:
    subscription = store.subscribe(after=start, prefixes=[f"{category}a-", f"{category}b-"])
    await batches_until(subscription, 0)
    mine = new_events(2)

    await store.append(f"{category}a-1", mine[:1], NO_STREAM)
    await store.append(f"{category}c-1", new_events(3), NO_STREAM)
    await store.append(f"{category}ab-1", new_events(3), NO_STREAM)
    await store.append(f"{category}b-1", mine[1:], NO_STREAM)

    assert ids(await follow(subscription, 2)) == ids(mine)


async def test_given_several_subscriptions_when_events_come_then_each_is_told_all_of_its_own(
    store: EventStore, category: str, start: int
) -> None:
    all_of_them = [store.subscribe(after=start, prefixes=[f"{category}{name}-"]) for name in ("a", "a", "b", "")]
    following = [asyncio.create_task(follow(subscription, 2)) for subscription in all_of_them]

    for name in ("a", "b", ""):
        for revision in (-1, 0):
            await store.append(f"{category}{name}-1", new_events(1), revision)

    a1, a2, b, rest = await asyncio.gather(*following)
    assert ids(a1) == ids(a2)
    assert {event.stream for event in a1} == {f"{category}a-1"}
    assert {event.stream for event in b} == {f"{category}b-1"}
    assert {event.stream for event in rest} == {f"{category}-1"}


async def test_given_a_waiting_subscription_when_it_is_stopped_then_the_iteration_ends_and_the_others_go_on(
    store: EventStore, category: str, start: int
) -> None:
    stopped, other = (store.subscribe(after=start, prefixes=[f"{category}-"]) for _ in range(2))
    await batches_until(stopped, 0)
    waiting = asyncio.create_task(_drain(stopped))

    await stopped.stop()
    async with asyncio.timeout(LIMIT_S):
        assert await waiting == []
    await stopped.stop()  # again is no mistake
    with pytest.raises(StopAsyncIteration):
        await anext(stopped)

    events = new_events(1)
    await store.append(f"{category}-1", events, NO_STREAM)
    assert ids(await follow(other, 1)) == ids(events)


async def test_given_a_subscription_when_its_reader_is_cancelled_then_it_can_be_read_on_without_loss(
    store: EventStore, category: str, start: int
) -> None:
    subscription = store.subscribe(after=start, prefixes=[f"{category}-"])
    await batches_until(subscription, 0)
    reading = asyncio.create_task(_drain(subscription))
    await asyncio.sleep(0)  # lets it begin
    reading.cancel()
    await asyncio.wait([reading])
    assert reading.cancelled()

    events = new_events(2)
    await store.append(f"{category}-1", events, NO_STREAM)

    assert ids(await follow(subscription, 2)) == ids(events)


async def test_given_a_subscription_when_its_store_is_closed_then_the_iteration_ends(
    store: EventStore, category: str, start: int
) -> None:
    subscription = store.subscribe(after=start, prefixes=[f"{category}-"])
    await batches_until(subscription, 0)
    waiting = asyncio.create_task(_drain(subscription))
    await asyncio.sleep(0)

    await store.aclose()

    async with asyncio.timeout(LIMIT_S):
        assert await waiting == []


@on_shared_data
async def test_given_another_store_object_on_the_same_data_when_it_appends_then_the_events_are_told_here(
    store: EventStore, other_store: EventStore, category: str, start: int
) -> None:
    subscription = store.subscribe(after=start, prefixes=[f"{category}-"])
    await batches_until(subscription, 0)
    theirs, ours = new_events(2), new_events(1)

    await other_store.append(f"{category}-1", theirs, NO_STREAM)
    assert ids(await follow(subscription, 2)) == ids(theirs)
    await store.append(f"{category}-1", ours, 1)

    assert ids(await follow(subscription, 1)) == ids(ours)
    assert ids([event async for event in other_store.read(f"{category}-1")]) == ids([*theirs, *ours])


@on_shared_data
async def test_given_two_store_objects_that_write_at_once_then_the_log_has_one_order_and_a_follower_misses_nothing(
    store: EventStore, other_store: EventStore, category: str, start: int
) -> None:
    following = asyncio.create_task(follow(store.subscribe(after=start, prefixes=[f"{category}-"]), 40))

    async def write(into: EventStore, name: str) -> None:
        for revision in range(-1, 19):
            await into.append(f"{category}-{name}", new_events(1), revision)

    await asyncio.gather(write(store, "a"), write(other_store, "b"))

    seen = [(event.position, event.stream, event.revision) for event in await following]
    assert seen == sorted(set(seen))
    for name in ("a", "b"):
        assert [revision for _, stream, revision in seen if stream == f"{category}-{name}"] == list(range(20))


async def _drain(subscription: EventSubscription) -> list[Batch]:
    return [batch async for batch in subscription]
