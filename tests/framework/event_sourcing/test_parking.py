"""An event that cannot be handled is parked together with what follows it in its stream; everything else flows."""

import asyncio
from collections.abc import Callable, Sequence
from copy import copy
from typing import NoReturn

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from typing_extensions import override

from neuroglia.core import ConcurrencyError
from neuroglia.documents import Documents, DocumentType, Session, WorkItem, WorkState, Write
from neuroglia.domain import Envelope
from neuroglia.event_sourcing import EventCodec, Projection, SubscriptionState, on
from neuroglia.event_sourcing.handlers import ATTEMPTS
from neuroglia.event_sourcing.subscriptions import ProjectionRunner, patience
from tests.framework.event_sourcing.counting import (
    COUNTER_CODEC,
    CounterIncreased,
    CounterOpened,
    CounterProjection,
    CounterView,
)
from tests.framework.event_sourcing.events import LIMIT_S
from tests.framework.event_sourcing.faults import FlakyDocuments, Probe, ProbedProjection, TouchyDocuments
from tests.framework.event_sourcing.world import World, nothing_parked, parked_in, parked_items, passed, run, state
from tests.support.waiting import eventually

ITEMS = DocumentType(WorkItem)
OPENED = CounterOpened(name="steps")
UP = CounterIncreased(by=1, note=None)
POISON = CounterIncreased(by=100, note="poison")


class Ward:
    """Whether events that are poison now fail, and how often they were tried."""

    def __init__(self) -> None:
        self.poisoned: Callable[[CounterIncreased], bool] = lambda event: event.note == "poison"
        self.tries = 0
        self._tried = asyncio.Condition()

    async def fail(self) -> NoReturn:
        self.tries += 1
        async with self._tried:
            self._tried.notify_all()
        raise ZeroDivisionError("poison")

    async def tried(self, times: int) -> None:
        """Returns when poison was tried so often."""
        async with asyncio.timeout(LIMIT_S), self._tried:
            await self._tried.wait_for(lambda: self.tries >= times)


class WardedProjection(CounterProjection):
    def __init__(self, views: Documents[CounterView], ward: Ward) -> None:
        super().__init__(views)
        self.ward = ward

    @override
    @on
    async def increased(self, event: CounterIncreased, envelope: Envelope) -> None:
        if self.ward.poisoned(event):
            await self.ward.fail()
        await super().increased(event, envelope)


@pytest.fixture
def ward() -> Ward:
    return Ward()


async def totals(world: World) -> dict[str, tuple[int, list[int]]]:
    return {view.id: (view.total, view.revisions) for view in await world.views()}


async def parked(runner: ProjectionRunner) -> list[tuple[str, object, str | None]]:
    return [(item.group, item.body["revision"], item.error) for item in await parked_items(runner)]


async def test_given_a_poison_event_then_its_sequence_is_parked_and_the_rest_flows(world: World, ward: Ward) -> None:
    await world.happened("a", OPENED, POISON, UP)
    end = await world.happened("b", OPENED, UP)
    runner = world.runner(WardedProjection, ward)

    async with run(runner):
        await passed(runner, end.position)
        end = await world.happened("a", UP, UP)
        await passed(runner, end.position)
        await state(runner, SubscriptionState.LIVE)
        assert (runner.status.parked, runner.status.error) == (1, None)
        assert ward.tries == 1 + ATTEMPTS  # in the batch, and then by itself
        assert await totals(world) == {"a": (0, [0]), "b": (1, [0, 1])}
        assert await parked(runner) == [
            ("counter-a", 1, "ZeroDivisionError"),
            *[("counter-a", revision, None) for revision in (2, 3, 4)],
        ]


async def test_given_a_parked_sequence_when_it_is_replayed_then_the_model_is_as_if_it_had_never_failed(
    world: World, ward: Ward
) -> None:
    end = await world.happened("a", OPENED, POISON, UP)
    runner = world.runner(WardedProjection, ward)

    async with run(runner):
        await passed(runner, end.position)
        ward.poisoned = lambda _: False
        await runner.replay("counter-a")
        await nothing_parked(runner)
        end = await world.happened("a", UP)
        await passed(runner, end.position)

    assert await totals(world) == {"a": (102, [0, 1, 2, 3])}


async def test_given_a_replay_whose_commit_is_not_answered_then_its_event_takes_effect_once(
    world: World, ward: Ward
) -> None:
    end = await world.happened("a", OPENED, POISON)
    documents = TouchyDocuments(world.documents, "after")
    runner = world.runner(WardedProjection, ward, documents=documents)

    async with run(runner):
        await passed(runner, end.position)
        ward.poisoned = lambda _: False
        documents.meant = lambda write: write.collection == "work_items" and write.body is None
        await runner.replay()
        await nothing_parked(runner)

    assert documents.touched.is_set()
    assert await totals(world) == {"a": (100, [0, 1])}


async def test_given_a_replay_that_fails_then_it_is_parked_again_in_order(world: World, ward: Ward) -> None:
    end = await world.happened("a", OPENED, UP, POISON, UP)
    runner = world.runner(WardedProjection, ward)

    async with run(runner):
        await passed(runner, end.position)
        before = ward.tries
        await runner.replay()
        await ward.tried(before + ATTEMPTS)
        end = await world.happened("a", UP)
        await passed(runner, end.position)

        assert await parked(runner) == [
            ("counter-a", 2, "ZeroDivisionError"), ("counter-a", 3, None), ("counter-a", 4, None)
        ]  # fmt: skip
        ward.poisoned = lambda _: False
        await runner.replay()
        await nothing_parked(runner)

    assert await totals(world) == {"a": (103, [0, 1, 2, 3, 4])}


async def test_given_a_parked_event_when_it_alone_is_discarded_then_those_behind_it_are_handled(
    world: World, ward: Ward
) -> None:
    end = await world.happened("a", OPENED, POISON, UP, UP)
    runner = world.runner(WardedProjection, ward)

    async with run(runner):
        await passed(runner, end.position)
        first, *_ = await parked_items(runner)
        await runner.discard("counter-a", position=first.number)
        await nothing_parked(runner)

    assert await totals(world) == {"a": (2, [0, 2, 3])}


async def test_given_a_parked_sequence_when_it_is_discarded_then_later_events_flow_again(
    world: World, ward: Ward
) -> None:
    await world.happened("a", OPENED, POISON, UP)
    end = await world.happened("b", OPENED, POISON)
    runner = world.runner(WardedProjection, ward)

    async with run(runner):
        await passed(runner, end.position)
        await runner.discard("counter-a")
        await parked_in(runner, 1)
        end = await world.happened("a", UP)
        await passed(runner, end.position)

        assert await totals(world) == {"a": (1, [0, 3]), "b": (0, [0])}
        assert await parked(runner) == [("counter-b", 1, "ZeroDivisionError")]


async def test_given_a_request_half_noted_when_its_first_event_fails_again_then_the_rest_stays_behind(
    world: World, ward: Ward
) -> None:
    end = await world.happened("a", OPENED, POISON, UP)
    first = world.runner(WardedProjection, ward)
    async with run(first):
        await passed(first, end.position)
    _, behind = await parked_items(first)
    session = Session(world.documents)
    item = await session.get(ITEMS, behind.id)
    assert item is not None
    item.state = WorkState.WAITING  # noted after the first one had failed again
    session.save(ITEMS, item)
    await session.commit()

    second = world.runner(WardedProjection, ward)
    async with run(second):

        async def done() -> bool:
            return not await second.parking.requested()

        await eventually(done)
        assert await parked(second) == [("counter-a", 1, "ZeroDivisionError"), ("counter-a", 2, None)]
        ward.poisoned = lambda _: False
        await second.replay()
        await nothing_parked(second)

    assert await totals(world) == {"a": (101, [0, 1, 2])}


async def test_given_a_discard_half_noted_when_the_runner_already_does_it_then_none_of_it_is_handled(
    world: World, ward: Ward
) -> None:
    end = await world.happened("a", OPENED, POISON, UP, UP)
    runner = world.runner(WardedProjection, ward, lease_s=0.1)

    class Pausing(FlakyDocuments):
        @override
        async def commit(self, writes: Sequence[Write]) -> None:
            await super().commit(writes)
            async with runner._turn:
                await runner._live.replay()

    asking = world.runner(WardedProjection, ward, documents=Pausing(world.documents))
    async with run(runner):
        await passed(runner, end.position)
        await asking.discard("counter-a")
        await nothing_parked(runner)

    assert await totals(world) == {"a": (0, [0])}


async def test_given_parked_events_when_the_process_is_another_one_then_it_knows_them_and_replays_them(
    world: World, ward: Ward
) -> None:
    end = await world.happened("a", OPENED, POISON)
    first = world.runner(WardedProjection, ward)
    async with run(first):
        await passed(first, end.position)

    second = world.runner(WardedProjection, ward)
    async with run(second):
        end = await world.happened("a", UP)
        await passed(second, end.position)
        assert second.status.parked == 1
        assert await totals(world) == {"a": (0, [0])}

    ward.poisoned = lambda _: False
    await first.replay()  # asked for in a process that does not run it, while nobody does
    third = world.runner(WardedProjection, ward)
    async with run(third):
        await state(third, SubscriptionState.LIVE)
        await nothing_parked(third)

    assert await totals(world) == {"a": (101, [0, 1, 2])}


async def test_given_a_version_without_the_handler_when_parked_events_are_replayed_then_they_are_done_with(
    world: World, ward: Ward
) -> None:
    class Opening(Projection, name="WardedProjection"):
        @on
        async def opened(self, event: CounterOpened) -> None:
            """Takes nothing else any more."""

    end = await world.happened("a", OPENED, POISON, UP)
    first = world.runner(WardedProjection, ward)
    async with run(first):
        await passed(first, end.position)

    second = world.runner(Opening)
    async with run(second):
        await state(second, SubscriptionState.LIVE)
        await second.replay()
        await nothing_parked(second)
        assert not await second.parking.requested()


async def test_given_an_event_that_cannot_be_decoded_then_it_is_parked_at_once_until_a_version_that_can(
    world: World,
) -> None:
    await world.happened("a", OPENED)
    await world.happened_raw("a", "test.counter-increased.v2", b'{"by":"7"}', expected=0)
    end = await world.happened("a", UP, expected=1)
    runner = world.runner()

    async with run(runner):
        await passed(runner, end.position)
        (item, behind) = await parked_items(runner)
        assert (item.error, item.attempts, behind.error) == ("UndecodableEvent", 1, None)

    class Mended(EventCodec):
        @override
        def decode(self, stored):  # type: ignore[no-untyped-def]
            if stored.data == b'{"by":"7"}':
                return CounterIncreased(by=7, note=None)
            return super().decode(stored)

    codec = copy(COUNTER_CODEC)
    codec.__class__ = Mended
    mended = world.runner(codec=codec)
    async with run(mended):
        await state(mended, SubscriptionState.LIVE)
        await mended.replay()
        await nothing_parked(mended)

    assert await totals(world) == {"a": (8, [0, 1, 2])}


async def test_given_a_store_that_is_down_while_an_event_is_tried_by_itself_then_that_does_not_count(
    world: World, ward: Ward
) -> None:
    """The batch fails once; alone, the event is in order, but its commits fail many times."""
    documents = FlakyDocuments(world.documents)
    failed = False

    def once(event: CounterIncreased) -> bool:
        nonlocal failed
        if failed:
            return False
        failed = True
        documents.faults[:] = [*["before"] * (ATTEMPTS * 2), "after"]
        return True

    ward.poisoned = once
    end = await world.happened("a", OPENED, UP)
    runner = world.runner(WardedProjection, ward, documents=documents)

    async with run(runner):
        await passed(runner, end.position)
        assert runner.status.parked == 0
        assert documents.faults == []

    assert await totals(world) == {"a": (1, [0, 1])}


@pytest.mark.parametrize("fault", ["before", "after"])
async def test_given_a_replay_whose_commit_fails_or_whose_answer_is_lost_then_it_takes_effect_once(
    world: World, ward: Ward, fault: str
) -> None:
    documents = FlakyDocuments(world.documents)
    end = await world.happened("a", OPENED, POISON, UP)
    runner = world.runner(WardedProjection, ward, documents=documents)

    async with run(runner):
        await passed(runner, end.position)

        def fail_the_next_commit(_: CounterIncreased) -> bool:
            documents.faults[:] = [fault]
            ward.poisoned = lambda _: False
            return False

        ward.poisoned = fail_the_next_commit
        await runner.replay()
        await nothing_parked(runner)
        assert documents.faults == []

    assert await totals(world) == {"a": (101, [0, 1, 2])}


async def test_given_an_event_that_kills_the_process_then_after_so_many_deaths_it_is_parked(world: World) -> None:
    def die(_: int) -> None:
        dying.cancel()
        raise asyncio.CancelledError  # nothing is given back: neither the lease nor the attempt

    end = await world.happened("a", OPENED, UP)
    probe = Probe(die)
    for _ in range(1 + ATTEMPTS):
        dying = asyncio.create_task(world.runner(ProbedProjection, probe, lease_s=0.02).run())
        async with asyncio.timeout(LIMIT_S):
            await asyncio.wait([dying])
        assert dying.cancelled()

    survivor = world.runner(ProbedProjection, probe, lease_s=0.02)
    async with run(survivor):
        await passed(survivor, end.position)

    assert probe.calls == 1 + ATTEMPTS  # once among others, and then by itself
    (item,) = await parked_items(survivor)
    assert (item.error, item.attempts) == ("ProcessDied", ATTEMPTS)
    assert await totals(world) == {"a": (0, [0])}


async def test_given_many_events_in_hand_when_one_kills_the_process_then_it_is_found_in_a_few_deaths(
    world: World,
) -> None:
    def die(_: int) -> None:
        running.cancel()
        raise asyncio.CancelledError  # nothing is given back: neither the lease nor the attempt

    class Touchy(ProbedProjection):
        @override
        @on
        async def increased(self, event: CounterIncreased, envelope: Envelope) -> None:
            if event == POISON:
                await self.probe.pass_through()
            await CounterProjection.increased(self, event, envelope)

    probe = Probe(die)
    await world.happened("healthy", OPENED, *[UP] * 300)
    await world.happened("ill", OPENED, POISON)
    end = await world.happened("healthy", *[UP] * 190)
    arrived = False
    while not arrived:
        survivor = world.runner(Touchy, probe, lease_s=0.02)
        running, arriving = asyncio.create_task(survivor.run()), asyncio.create_task(passed(survivor, end.position))
        await asyncio.wait([running, arriving], return_when=asyncio.FIRST_COMPLETED)
        arrived = arriving.done()
        arriving.cancel()
    await survivor.stop()
    await running

    assert probe.calls == 3 + ATTEMPTS, "among all, among many, among a few, and then by itself"
    (item,) = await parked_items(survivor)
    assert (item.group, item.error, item.attempts) == ("counter-ill", "ProcessDied", ATTEMPTS)
    assert {id: total for id, (total, _) in (await totals(world)).items()} == {"healthy": 490, "ill": 0}


async def test_given_a_process_that_was_killed_from_outside_then_what_it_had_in_hand_is_tried_in_few_commits(
    world: World,
) -> None:
    def die(_: int) -> None:
        dying.cancel()
        raise asyncio.CancelledError

    class Innocent(ProbedProjection, name="CounterProjection"):
        pass

    end = await world.happened("a", OPENED, *[UP] * 2000)
    dying = asyncio.create_task(world.runner(Innocent, Probe(die), lease_s=0.02).run())
    async with asyncio.timeout(LIMIT_S):
        await asyncio.wait([dying])
    documents = FlakyDocuments(world.documents)
    survivor = world.runner(documents=documents, lease_s=0.05)

    async with run(survivor):
        await passed(survivor, end.position)
        assert documents.commits < 50
        before, later = documents.commits, await world.happened("a", UP)
        await passed(survivor, later.position)

    assert documents.commits == before + 1, "what came afterwards is nobody's suspect"
    assert await totals(world) == {"a": (2001, list(range(2002)))}


async def test_given_a_death_with_a_few_events_in_hand_then_those_that_come_later_are_not_suspected(
    world: World,
) -> None:
    def die(_: int) -> None:
        dying.cancel()
        raise asyncio.CancelledError

    class Innocent(ProbedProjection, name="CounterProjection"):
        pass

    end = await world.happened("a", OPENED, UP)
    dying = asyncio.create_task(world.runner(Innocent, Probe(die), lease_s=0.02).run())
    async with asyncio.timeout(LIMIT_S):
        await asyncio.wait([dying])
    survivor = world.runner(lease_s=0.05)
    async with run(survivor):
        await passed(survivor, end.position)

    documents = FlakyDocuments(world.documents)
    next_one = world.runner(documents=documents)
    async with run(next_one):
        await passed(next_one, end.position)
        before, later = documents.commits, await world.happened("a", UP)
        await passed(next_one, later.position)
        assert documents.commits == before + 1


async def test_given_a_handler_that_awaits_what_was_cancelled_then_its_event_is_parked_as_any_that_fails(
    world: World,
) -> None:
    def fail(_: int) -> None:
        raise asyncio.CancelledError

    await world.happened("a", OPENED, UP)
    end = await world.happened("b", OPENED)
    runner = world.runner(ProbedProjection, Probe(fail))

    async with run(runner):
        await passed(runner, end.position)
        assert await parked(runner) == [("counter-a", 1, "HandlerCancelled")]


async def test_given_a_stop_during_a_replay_then_the_attempt_does_not_count(world: World) -> None:
    def fail(_: int) -> None:
        raise ZeroDivisionError

    probe = Probe(fail)
    end = await world.happened("a", OPENED, UP)
    runner = world.runner(ProbedProjection, probe)
    async with run(runner):
        await passed(runner, end.position)
        probe._on_event = lambda _: None
        probe.hold()
        await runner.replay()
        await probe.entered.wait()

    (item,) = [item async for item in runner.parking.items.find(WorkState.WAITING)]
    assert item.attempts == 0


async def test_given_a_stop_while_an_event_is_on_trial_then_the_next_start_goes_on_with_it(
    world: World, ward: Ward, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "_FIRST_PAUSE_S", 3600.0)
    monkeypatch.setattr(patience, "_LONGEST_PAUSE_S", 3600.0)
    before = await world.happened("a", OPENED)
    end = await world.happened("a", POISON)
    runner = world.runner(WardedProjection, ward)
    async with run(runner):
        await passed(runner, before.position)
        await ward.tried(2)
    monkeypatch.setattr(patience, "_FIRST_PAUSE_S", 0.001)

    ward.poisoned = lambda _: False
    again = world.runner(WardedProjection, ward)
    async with run(again):
        await passed(again, end.position)
        await state(again, SubscriptionState.LIVE)
        assert again.status.parked == 0

    assert await totals(world) == {"a": (100, [0, 1])}
    assert not again.parking._trials


async def test_given_a_rival_at_the_same_item_when_a_replay_is_requested_then_it_is_requested_all_the_same(
    world: World, ward: Ward
) -> None:
    end = await world.happened("a", OPENED, POISON)
    runner = world.runner(WardedProjection, ward)
    async with run(runner):
        await passed(runner, end.position)
    (item,) = await parked_items(runner)
    commit, rivals = world.documents.commit, 2

    async def raced(writes: Sequence[Write]) -> None:
        nonlocal rivals
        if rivals:
            rivals -= 1
            raise ConcurrencyError(f"work_items/{item.id}", 1, 2)
        await commit(writes)

    world.documents.commit = raced  # type: ignore[method-assign]
    await runner.replay()

    assert [item.id async for item in runner.parking.items.find(WorkState.WAITING)] == [item.id]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    happenings=st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), min_size=1, max_size=12),
    restarts=st.sets(st.integers(0, 11)),
    replays=st.sets(st.integers(0, 11)),
)
async def test_given_any_poison_and_replays_and_restarts_then_in_the_end_the_model_is_as_without(
    happenings: list[tuple[str, bool]], restarts: set[int], replays: set[int]
) -> None:
    async with World.open() as world:
        ward = Ward()
        last = -1
        runner = world.runner(WardedProjection, ward)
        running = run(runner)
        await running.__aenter__()
        expected: dict[str, tuple[int, list[int]]] = {}
        for number, (id, poison) in enumerate(happenings):
            known = id in expected
            event = POISON if poison else UP
            last = (await world.happened(id, *([event] if known else [OPENED, event]))).position
            total, revisions = expected.get(id, (0, [0]))
            expected[id] = (total + event.by, [*revisions, len(revisions)])
            if number in replays:
                await runner.replay()
            if number in restarts:
                await running.__aexit__(None, None, None)
                runner = world.runner(WardedProjection, ward)
                running = run(runner)
                await running.__aenter__()
        await passed(runner, last)
        ward.poisoned = lambda _: False
        while await parked_items(runner) or await runner.parking.requested():
            await runner.replay()
        await nothing_parked(runner)
        await running.__aexit__(None, None, None)

        assert await totals(world) == expected
