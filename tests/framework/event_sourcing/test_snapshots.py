"""Snapshots make long streams fast to load, and are never the truth."""

import json
from dataclasses import replace
from typing import Any

import pytest

from neuroglia.core import NotFoundError, RequestContext, SystemIds
from neuroglia.documents import Write
from neuroglia.domain import AggregateRoot, DomainEvent, event, when
from neuroglia.event_sourcing import BEGINNING, EventCodec, EventSourcedRepository, repository
from neuroglia.event_sourcing.adapters.sqlite import SqliteEventStore
from neuroglia.event_sourcing.once import OneCommand
from neuroglia.event_sourcing.snapshots import Snapshots
from tests.framework.event_sourcing.counting import Counter, CounterIncreased, CounterOpened
from tests.framework.event_sourcing.world import World


class Photographed(Counter, snapshot_every=10):
    """A counter with a snapshot after each ten events."""


class Reshaped(Counter, snapshot_every=10):
    """The same stream, after a change of the class: the old snapshots do not fit."""

    total: float  # type: ignore[assignment]


STREAM = "counter-1"


async def counted(world: World, times: int = 14) -> None:
    """A counter that was opened and increased by one so many times, one command each."""
    await world.repository(kind=Photographed).save(Photographed.open("1", "x"))
    await counted_on(world, times)


async def counted_on(world: World, times: int) -> None:
    for _ in range(times):
        counters = world.repository(kind=Photographed)
        counter = await counters.get("1")
        counter.increase(1)
        await counters.save(counter)


async def snapshot(world: World) -> dict[str, Any] | None:
    stored = await world.documents.get("snapshots", STREAM)
    return None if stored is None else json.loads(stored.body)


async def tamper(world: World, **changes: Any) -> None:
    """Overwrites fields of the snapshot."""
    stored = await world.documents.get("snapshots", STREAM)
    assert stored is not None
    body = json.dumps({**json.loads(stored.body), **changes}).encode()
    await world.documents.commit([Write("snapshots", STREAM, stored.version, body)])


def reads(world: World, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The revisions behind which streams are read from now on."""
    seen: list[int] = []
    read = world.events.read_page

    def watched(stream: str, *, after: int, limit: int) -> Any:
        seen.append(after)
        return read(stream, after=after, limit=limit)

    monkeypatch.setattr(world.events, "read_page", watched)
    return seen


async def test_given_less_than_a_turn_then_there_is_none(world: World) -> None:
    await counted(world, times=8)

    assert await snapshot(world) is None


async def test_given_a_snapshot_when_loading_then_only_what_came_later_is_replayed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await counted(world)
    seen = reads(world, monkeypatch)

    counter = await world.repository(kind=Photographed).get("1")

    assert seen == [8]  # the snapshot is behind revision 9, which is read to see that it is the same one
    plain = await world.repository().get("1")
    assert {**vars(counter)} == {**vars(plain)}


async def test_given_many_events_in_one_command_then_there_is_a_snapshot_all_the_same(world: World) -> None:
    counter = Photographed.open("1", "x")
    for _ in range(25):
        counter.increase(1)
    await world.repository(kind=Photographed).save(counter)

    assert (await world.repository(kind=Photographed).get("1")).total == 25
    assert json.loads((await snapshot(world) or {})["state"])["version"] == 25


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "no json"},
        {"state": "{}"},
        {"state": '{"total": "many"}'},
        {"shape": "another"},
        {"event_id": "of another log"},
        {"position": "nowhere"},
    ],
)
async def test_given_a_snapshot_that_does_not_fit_when_loading_then_all_is_replayed(
    world: World, changes: dict[str, Any]
) -> None:
    await counted(world)
    await tamper(world, **changes)

    counter = await world.repository(kind=Photographed).get("1")

    assert (counter.total, counter.version) == (14, 14)


async def test_given_the_class_changed_when_loading_then_the_old_snapshot_is_ignored_and_replaced(world: World) -> None:
    await counted(world)
    old = await snapshot(world)
    counters = world.repository(kind=Reshaped)
    counter = await counters.get("1")
    assert counter.total == 14
    for _ in range(6):
        counter.increase(1)

    await counters.save(counter)

    new = await snapshot(world)
    assert old is not None
    assert new is not None
    assert new["shape"] != old["shape"]


async def test_given_a_snapshot_without_its_stream_when_loading_then_there_is_nothing(world: World) -> None:
    """The event store was emptied or exchanged: a cache must not bring the dead to life."""
    await counted(world)
    assert await snapshot(world) is not None
    emptied = SqliteEventStore(":memory:")
    await emptied.open()

    try:
        with pytest.raises(NotFoundError):
            await World(emptied, world.documents).repository(kind=Photographed).get("1")
    finally:
        await emptied.aclose()


async def test_given_the_document_store_is_down_then_commands_work_all_the_same(world: World) -> None:
    await counted(world)
    await world.documents.aclose()

    counters = world.repository(kind=Photographed)
    counter = await counters.get("1")
    for _ in range(10):
        counter.increase(1)
    await counters.save(counter)

    assert counter.version == 24


async def test_given_a_snapshot_newer_than_a_command_when_that_comes_again_then_the_answer_is_the_first_one(
    world: World,
) -> None:
    await counted(world, times=7)
    context = RequestContext(correlation_id="c", command_id="once", since=await world.events.head())

    async def deliver() -> tuple[int, int]:
        counters = world.repository(replace(context), kind=Photographed)
        counter = await counters.get("1")
        counter.increase(100)
        await counters.save(counter)
        return counter.total, counter.version

    first = await deliver()
    for _ in range(5):
        await world.repository(kind=Photographed).save(await increased(world))
    assert await snapshot(world) is not None

    assert await deliver() == first == (107, 8)


@pytest.mark.parametrize("tail", [1, 3, 100])
@pytest.mark.parametrize(("before", "after"), [(0, 0), (0, 12), (12, 0), (12, 12), (1, 29), (29, 1)])
async def test_given_rivals_around_when_a_command_comes_twice_then_the_second_one_finds_the_first(
    world: World, monkeypatch: pytest.MonkeyPatch, before: int, after: int, tail: int
) -> None:
    monkeypatch.setattr(repository, "_TAIL", tail)
    await counted(world, times=3)
    context = RequestContext(correlation_id="c", command_id="once", since=await world.events.head())
    answers = []
    for rivals in (before, after):
        for _ in range(rivals):
            await world.repository(kind=Photographed).save(await increased(world))
        counters = world.repository(replace(context), kind=Photographed)
        counter = await counters.get("1")
        counter.increase(100)
        await counters.save(counter)
        answers.append((counter.total, counter.version))

    assert answers == [(103 + before, 4 + before)] * 2
    assert (await world.repository(kind=Photographed).get("1")).total == 103 + before + after


async def test_given_a_long_life_when_a_command_may_be_a_repeat_then_only_what_came_since_is_looked_through(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "_TAIL", 5)
    await counted(world, times=31)
    context = RequestContext(correlation_id="c", command_id="once", since=await world.events.head())
    await counted_on(world, times=8)
    seen = reads(world, monkeypatch)

    await world.repository(replace(context), kind=Photographed).get("1")

    assert seen == [38, 34, 24]  # the last one, the five that end with it, and ten before them


async def test_given_a_very_long_life_when_a_command_may_be_a_repeat_then_no_page_is_larger_than_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repository, "_TAIL", 4)
    monkeypatch.setattr(repository, "PAGE", 8)
    context = RequestContext(correlation_id="c", command_id="once", since=BEGINNING)
    await counted(world, times=39)
    seen = reads(world, monkeypatch)

    await world.repository(replace(context), kind=Photographed).get("1")

    assert seen == [38, 35, 27, 19, 11, 3, -1]


async def increased(world: World) -> Counter:
    counter = await world.repository(kind=Photographed).get("1")
    counter.increase(1)
    return counter


async def test_given_no_policy_when_saving_often_then_there_is_no_snapshot(world: World) -> None:
    await world.happened("1", CounterOpened(name="x"), *[CounterIncreased(by=1, note=None)] * 30)
    counters = world.repository()
    counter = await counters.get("1")
    counter.increase(1)
    await counters.save(counter)

    assert await snapshot(world) is None


async def test_given_a_state_in_memory_when_loading_then_only_its_last_event_is_read(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    warm = Snapshots(world.documents)
    await world.repository(kind=Photographed, snapshots=warm).save(Photographed.open("1", "x"))
    for _ in range(3):
        counters = world.repository(kind=Photographed, snapshots=warm)
        counter = await counters.get("1")
        counter.increase(1)
        await counters.save(counter)
    seen = reads(world, monkeypatch)

    loaded = await world.repository(kind=Photographed, snapshots=warm).get("1")

    assert seen == [2]
    assert (loaded.total, loaded.version) == (3, 3)
    assert await snapshot(world) is None  # nothing was stored yet


async def test_given_a_rival_elsewhere_when_loading_from_memory_then_its_events_are_seen(world: World) -> None:
    warm = Snapshots(world.documents)
    await world.repository(kind=Photographed, snapshots=warm).save(Photographed.open("1", "x"))
    await world.happened("1", CounterIncreased(by=5, note="elsewhere"))

    assert (await world.repository(kind=Photographed, snapshots=warm).get("1")).total == 5


@event("test.tagged.v1")
class Tagged(DomainEvent):
    tag: str


class Labelled(AggregateRoot, stream="label", snapshot_every=10):
    """Its state can be changed in place, so that two who shared it would disturb each other."""

    tags: list[str]

    def tag(self, tag: str) -> None:
        self.apply(Tagged(tag=tag))

    @when
    def _tagged(self, event: Tagged) -> None:
        self.tags = getattr(self, "tags", [])
        self.tags.append(event.tag)


async def test_given_a_state_that_can_change_when_it_is_kept_in_memory_then_it_is_a_copy(world: World) -> None:
    warm, codec, context = Snapshots(world.documents), EventCodec([Tagged]), RequestContext.new()

    def labels() -> EventSourcedRepository[Labelled]:
        return EventSourcedRepository(
            Labelled, world.events, codec, world.clock, OneCommand(context, SystemIds()), warm
        )

    label = Labelled("1")
    label.tag("a")
    await labels().save(label)
    label.tag("never saved")
    first, second = await labels().get("1"), await labels().get("1")
    first.tag("b")

    assert (first.tags, second.tags, (await labels().get("1")).tags) == (["a", "b"], ["a"], ["a"])


async def test_given_more_aggregates_than_fit_when_saving_then_memory_stays_bounded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neuroglia.event_sourcing.snapshots._IN_MEMORY", 4)
    warm = Snapshots(world.documents)
    for number in range(10):
        counters = world.repository(kind=Photographed, snapshots=warm)
        await counters.save(Photographed.open(str(number), "x"))

    assert list(warm._recent) == [f"counter-{number}" for number in range(6, 10)]
    assert (await world.repository(kind=Photographed, snapshots=warm).get("0")).name == "x"
