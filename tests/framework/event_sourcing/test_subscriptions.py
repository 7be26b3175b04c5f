"""All runners together, and queries that wait for them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from neuroglia.core import MalformedRequest, RequestContext, use_context
from neuroglia.event_sourcing import (
    NO_STREAM,
    EventSubscription,
    Subscriptions,
    SubscriptionState,
    read_your_writes,
    reads,
)
from neuroglia.event_sourcing.adapters.sqlite import SqliteEventStore
from neuroglia.event_sourcing.read_your_writes import ReadYourWrites
from neuroglia.event_sourcing.subscriptions import ProjectionRunner
from neuroglia.mediation import Query, QueryHandler, Request
from tests.framework.event_sourcing.counting import CounterIncreased, CounterOpened, CounterProjection
from tests.framework.event_sourcing.events import LIMIT_S, new_events
from tests.framework.event_sourcing.faults import Probe, ProbedProjection
from tests.framework.event_sourcing.world import World, passed, run, state

OPENED = CounterOpened(name="steps")
UP = CounterIncreased(by=1, note=None)


class Others(CounterProjection, name="others"):
    """A second projection, with a checkpoint of its own."""


@pytest.fixture
def probe() -> Probe:
    return Probe()


@pytest.fixture
async def subscriptions(world: World, probe: Probe) -> AsyncIterator[Subscriptions]:
    subscriptions = Subscriptions([world.runner(ProbedProjection, probe)])
    yield subscriptions
    probe.release.set()
    await subscriptions.stop()


# -- all runners ---------------------------------------------------------------------------------------------------


async def test_given_runners_when_started_then_all_follow_until_they_are_stopped(world: World) -> None:
    async with World.open() as others:
        subscriptions = Subscriptions([world.runner(), world.runner(Others, documents=others.documents)])
        assert [runner.status.state for runner in subscriptions.runners.values()] == [SubscriptionState.STARTING] * 2
        await subscriptions.start()
        end = await world.happened("1", OPENED, UP)

        await subscriptions.wait_for(end.position, LIMIT_S)

        assert subscriptions.alive
        assert [(runner.status.name, runner.status.position) for runner in subscriptions.runners.values()] == [
            ("CounterProjection", end.position),
            ("others", end.position),
        ]
        assert await world.view("1") == await others.view("1") is not None
        assert list(subscriptions.runners) == [CounterProjection, Others]
        await subscriptions.stop()
        assert [runner.status.state for runner in subscriptions.runners.values()] == [SubscriptionState.STOPPED] * 2
        assert subscriptions.alive  # nothing runs that should not, nothing ended that should run


async def test_given_no_runners_when_starting_and_stopping_then_nothing_happens() -> None:
    subscriptions = Subscriptions([])

    await subscriptions.start()
    await subscriptions.wait_for(10, LIMIT_S)
    await subscriptions.stop()

    assert subscriptions.alive


async def test_given_events_of_others_at_the_end_when_waiting_then_only_our_own_are_waited_for(
    world: World, subscriptions: Subscriptions
) -> None:
    await subscriptions.start()
    own = await world.happened("1", OPENED)
    foreign = await world.events.append("person-1", new_events(3), NO_STREAM)

    await subscriptions.wait_for(foreign.position, LIMIT_S)

    assert subscriptions.runners[ProbedProjection].status.position == own.position


async def test_given_a_projection_that_does_not_come_so_far_when_waiting_then_it_is_a_timeout(
    world: World, subscriptions: Subscriptions, probe: Probe
) -> None:
    probe.hold()
    await subscriptions.start()
    end = await world.happened("1", OPENED, UP)
    await probe.entered.wait()

    with pytest.raises(TimeoutError):
        await subscriptions.wait_for(end.position, 0.001)


async def test_given_a_handler_that_hangs_when_stopping_then_it_is_cancelled_after_the_time(
    world: World, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neuroglia.core.lifecycle._STOP_S", 0.001)
    probe.hold()
    await world.happened("1", OPENED, UP)
    subscriptions = Subscriptions([world.runner(ProbedProjection, probe)])
    await subscriptions.start()
    await probe.entered.wait()
    tasks = list(subscriptions._tasks)

    await subscriptions.stop()

    assert all(task.cancelled() for task in tasks)
    assert await world.checkpoint("ProbedProjection@1") is None
    assert await world.view("1") is None


async def test_given_a_mistake_when_following_then_the_runner_tells_and_goes_on(world: World) -> None:
    class Mistaken(SqliteEventStore):
        mistakes = 2

        def subscribe(self, *, after: int, prefixes: Sequence[str]) -> EventSubscription:
            if self.mistakes:
                self.mistakes -= 1
                raise TypeError("a mistake of ours")
            return super().subscribe(after=after, prefixes=prefixes)

    events = Mistaken(":memory:")
    await events.open()
    runner = world.runner(events=events)
    subscriptions = Subscriptions([runner])
    await subscriptions.start()

    await state(runner, SubscriptionState.RETRYING)
    assert runner.status.error == "TypeError"
    await state(runner, SubscriptionState.LIVE)

    assert subscriptions.alive
    await subscriptions.stop()
    await events.aclose()


async def test_given_a_runner_that_was_ended_when_asked_then_the_process_is_not_alive(world: World) -> None:
    subscriptions = Subscriptions([world.runner()])
    await subscriptions.start()
    subscriptions._tasks[0].cancel()
    await asyncio.wait(subscriptions._tasks, timeout=LIMIT_S)

    assert not subscriptions.alive
    await subscriptions.stop()


async def test_given_a_log_that_was_emptied_when_following_then_it_is_told_and_not_live(world: World) -> None:
    end = await world.happened("1", OPENED, UP)
    async with run(runner := world.runner()):
        await passed(runner, end.position)
    emptied = SqliteEventStore(":memory:")
    await emptied.open()
    runner = world.runner(events=emptied)

    async with run(runner):
        await state(runner, SubscriptionState.RETRYING)
        assert runner.status.error == "LogBehindCheckpoint"

    await emptied.aclose()


# -- queries that wait ---------------------------------------------------------------------------------------------


class GetTotal(Query[int]):
    __slots__ = ()


@reads(ProbedProjection)
class GetTotalHandler(QueryHandler[GetTotal, int]):
    async def handle(self, query: GetTotal) -> int:
        raise NotImplementedError


class GetNothingHandler(QueryHandler[GetTotal, int]):
    async def handle(self, query: GetTotal) -> int:
        raise NotImplementedError


class Waiting:
    """The behaviour, around a handler that answers with the projection's position at that moment."""

    def __init__(self, world: World, subscriptions: Subscriptions) -> None:
        self._behavior = ReadYourWrites(world.events, subscriptions)
        self._runner: ProjectionRunner = subscriptions.runners[ProbedProjection]
        assert self._behavior.applies_to(GetTotal, GetTotalHandler)

    async def ask(self, position: int | None) -> tuple[int, int | None]:
        """The answer, and the position that the reply tells."""

        async def answer(_: Request[Any]) -> int:
            return self._runner.status.position

        context = RequestContext(correlation_id="c", wait_for_position=position)
        with use_context(context):
            async with asyncio.timeout(LIMIT_S):
                answered = await self._behavior.handle(GetTotal(), answer)
        return answered, context.reply.read_model_position


@pytest.fixture
def waiting(world: World, subscriptions: Subscriptions) -> Waiting:
    return Waiting(world, subscriptions)


def test_given_a_handler_without_reads_when_asked_then_the_behaviour_does_not_apply(
    world: World, subscriptions: Subscriptions
) -> None:
    assert not ReadYourWrites(world.events, subscriptions).applies_to(GetTotal, GetNothingHandler)


async def test_given_no_position_when_querying_then_nothing_is_waited_for(waiting: Waiting, world: World) -> None:
    await world.happened("1", OPENED)

    assert await waiting.ask(None) == (-1, None)


async def test_given_a_position_that_is_passed_when_querying_then_the_answer_comes_at_once(
    waiting: Waiting, world: World, subscriptions: Subscriptions
) -> None:
    await subscriptions.start()
    first = await world.happened("1", OPENED)
    end = await world.happened("1", UP)
    await subscriptions.wait_for(end.position, LIMIT_S)

    assert await waiting.ask(first.position) == (end.position, end.position)


async def test_given_a_position_that_is_not_passed_yet_when_querying_then_the_answer_comes_behind_it(
    waiting: Waiting, world: World, subscriptions: Subscriptions, probe: Probe
) -> None:
    probe.hold()
    await subscriptions.start()
    end = await world.happened("1", OPENED, UP)
    await probe.entered.wait()
    asking = asyncio.create_task(waiting.ask(end.position))
    await asyncio.sleep(0)
    assert not asking.done()

    probe.release.set()

    assert await asking == (end.position, end.position)


async def test_given_events_of_others_at_the_end_when_querying_then_their_position_counts_as_passed(
    waiting: Waiting, world: World, subscriptions: Subscriptions
) -> None:
    await subscriptions.start()
    own = await world.happened("1", OPENED)
    foreign = await world.events.append("person-1", new_events(3), NO_STREAM)

    assert await waiting.ask(foreign.position) == (own.position, foreign.position)


async def test_given_a_projection_that_lags_when_querying_then_the_reply_tells_how_far_it_is(
    waiting: Waiting,
    world: World,
    subscriptions: Subscriptions,
    probe: Probe,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(read_your_writes, "_WAIT_S", 0.001)
    first = await world.happened("1", OPENED)
    await subscriptions.start()
    await subscriptions.wait_for(first.position, LIMIT_S)
    await state(subscriptions.runners[ProbedProjection], SubscriptionState.LIVE)
    probe.hold()
    end = await world.happened("1", UP)

    assert await waiting.ask(end.position) == (first.position, first.position)


@pytest.mark.parametrize("beyond", [1, 1000, 2**63, 10**30])
async def test_given_a_position_above_the_head_when_querying_then_it_is_malformed(
    waiting: Waiting, world: World, subscriptions: Subscriptions, beyond: int
) -> None:
    await subscriptions.start()
    end = await world.happened("1", OPENED)
    await subscriptions.wait_for(end.position, LIMIT_S)

    with pytest.raises(MalformedRequest):
        await waiting.ask(end.position + beyond)
