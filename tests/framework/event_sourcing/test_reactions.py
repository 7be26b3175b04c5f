"""Reactions: every event at least once, its effects once, streams at the same time and each in order."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from neuroglia.core import RequestContext, Unavailable, current_context, derived_id
from neuroglia.documents import Documents, Session, WorkItems, WorkState
from neuroglia.domain import Envelope, StateConflict
from neuroglia.event_sourcing import Reaction, SubscriptionState, on
from neuroglia.event_sourcing.handlers import ATTEMPTS
from neuroglia.event_sourcing.subscriptions import ReactionRunner, reaction_runner
from tests.framework.event_sourcing.counting import CounterClosed, CounterIncreased, CounterOpened, CounterView
from tests.framework.event_sourcing.events import LIMIT_S
from tests.framework.event_sourcing.faults import FlakyDocuments, RepeatingEvents
from tests.framework.event_sourcing.world import (
    CHECKPOINTS,
    World,
    nothing_parked,
    parked_in,
    parked_items,
    passed,
    run,
    state,
)
from tests.support.repeating import repeat
from tests.support.waiting import eventually

OPENED = CounterOpened(name="steps")
UP = CounterIncreased(by=1, note=None)


class Outside:
    """What the reaction reaches, and what shall happen there."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, int]] = []
        self.contexts: list[RequestContext] = []
        self.answer: Callable[[Envelope], Awaitable[None]] = self.listen

    async def listen(self, envelope: Envelope) -> None:
        """All is well."""

    def hold(self, id: str) -> asyncio.Event:
        """From now on what concerns this aggregate waits for the event that is returned."""
        release = asyncio.Event()

        async def answer(envelope: Envelope) -> None:
            if envelope.aggregate_id == id:
                await release.wait()

        self.answer = answer
        return release

    def kill_at(self, id: str, kill: Callable[[], object]) -> None:
        """From now on what concerns this aggregate kills the process, after others came, if any may."""

        async def answer(envelope: Envelope) -> None:
            for _ in range(20):
                await asyncio.sleep(0)
            if envelope.aggregate_id == id:
                kill()
                await asyncio.Event().wait()

        self.answer = answer


class Telling(Reaction, workers=4):
    """Tells the outside, and notes in a document that it did."""

    def __init__(self, outside: Outside, views: Documents[CounterView]) -> None:
        self.outside = outside
        self.views = views

    @on
    async def increased(self, event: CounterIncreased, envelope: Envelope) -> None:
        self.outside.heard.append((envelope.aggregate_id, envelope.revision))
        self.outside.contexts.append(current_context())
        view = await self.views.lookup(envelope.aggregate_id) or CounterView(id=envelope.aggregate_id, name="told")
        view.total += event.by
        view.revisions.append(envelope.revision)
        await self.views.save(view)
        await self.outside.answer(envelope)


@pytest.fixture
def outside() -> Outside:
    return Outside()


async def told(world: World) -> dict[str, tuple[int, list[int]]]:
    return {view.id: (view.total, view.revisions) for view in await world.views()}


async def test_given_events_then_each_is_handled_in_its_own_context_and_the_checkpoint_follows(
    world: World, outside: Outside
) -> None:
    await world.happened("a", OPENED)
    first = await world.happened("a", UP)
    end = await world.happened("a", UP, CounterClosed())
    runner = world.reaction(Telling, outside)

    async with run(runner):
        await passed(runner, end.position)
        assert runner.status.state is SubscriptionState.LIVE

    assert outside.heard == [("a", 1), ("a", 2)]
    assert await told(world) == {"a": (2, [1, 2])}
    assert await world.checkpoint("Telling") == end.position
    event = await anext(world.events.read("counter-a", after=0))
    context = outside.contexts[0]
    assert (context.principal.id, context.causation_id, context.since) == ("system:Telling", event.id, first.position)
    assert context.command_id == derived_id("Telling", event.id)


async def test_given_batches_that_are_delivered_again_then_each_event_is_handled_once_and_the_checkpoint_follows(
    world: World, outside: Outside
) -> None:
    repeat(world.events, 3)
    release = outside.hold("a")
    await world.happened("a", OPENED, UP)
    await world.happened("b", OPENED, UP)
    runner = world.reaction(Telling, outside)

    async with run(runner):

        async def b_is_told() -> bool:
            return "b" in await told(world)

        await eventually(b_is_told)
        release.set()
        end = await world.happened("b", UP)
        await passed(runner, end.position)

    assert await told(world) == {"a": (1, [1]), "b": (2, [1, 2])}
    assert sorted(outside.heard) == [("a", 1), ("b", 1), ("b", 2)]
    assert await world.checkpoint("Telling") == end.position


async def test_given_a_slow_stream_then_the_others_flow_and_the_checkpoint_waits_for_it(
    world: World, outside: Outside
) -> None:
    release = outside.hold("a")
    before = await world.happened("a", OPENED)
    await world.happened("a", UP, UP)
    end = await world.happened("b", OPENED, UP, UP)
    runner = world.reaction(Telling, outside)

    async with run(runner):
        await passed(runner, before.position)

        async def b_is_told() -> bool:
            return (await told(world)).get("b") == (2, [1, 2])

        await eventually(b_is_told)
        assert outside.heard == [("a", 1), ("b", 1), ("b", 2)]
        assert await world.checkpoint("Telling") == before.position
        release.set()
        await passed(runner, end.position)

    assert await told(world) == {"a": (2, [1, 2]), "b": (2, [1, 2])}


async def test_given_a_refusal_of_the_domain_then_it_is_an_answer_and_what_was_staged_is_void(
    world: World, outside: Outside
) -> None:
    async def refuse(_: Envelope) -> None:
        raise StateConflict("no")

    outside.answer = refuse
    end = await world.happened("a", OPENED, UP, UP)
    runner = world.reaction(Telling, outside)

    async with run(runner):
        await passed(runner, end.position)
        assert (runner.status.parked, runner.status.error) == (0, None)

    assert outside.heard == [("a", 1), ("a", 2)]
    assert await told(world) == {}


async def test_given_an_outside_that_is_down_then_the_event_waits_for_it_however_long(
    world: World, outside: Outside
) -> None:
    async def be_down(_: Envelope) -> None:
        if len(outside.heard) < ATTEMPTS * 3:
            raise Unavailable("down")

    outside.answer = be_down
    end = await world.happened("a", OPENED, UP, UP)
    runner = world.reaction(Telling, outside)

    async with run(runner):
        await passed(runner, end.position)
        assert runner.status.parked == 0

    assert await told(world) == {"a": (2, [1, 2])}
    assert outside.heard == [*[("a", 1)] * ATTEMPTS * 3, ("a", 2)]


async def test_given_poison_then_its_sequence_is_parked_the_rest_flows_and_a_replay_runs_it_in_order(
    world: World, outside: Outside
) -> None:
    async def fail(envelope: Envelope) -> None:
        if (envelope.aggregate_id, envelope.revision) == ("a", 1):
            raise ZeroDivisionError

    outside.answer = fail
    await world.happened("a", OPENED, UP, UP)
    end = await world.happened("b", OPENED, UP)
    runner = world.reaction(Telling, outside)

    async with run(runner):
        await passed(runner, end.position)
        await parked_in(runner, 1)
        end = await world.happened("a", UP)
        await passed(runner, end.position)
        assert await told(world) == {"b": (1, [1])}
        assert [(item.body["revision"], item.error) for item in await parked_items(runner)] == [
            (1, "ZeroDivisionError"), (2, None), (3, None)
        ]  # fmt: skip
        outside.answer = outside.listen
        await runner.replay()
        await nothing_parked(runner)
        end = await world.happened("a", UP)
        await passed(runner, end.position)

    assert await told(world) == {"a": (4, [1, 2, 3, 4]), "b": (1, [1])}


async def test_given_a_replay_in_vain_when_another_one_succeeds_then_all_is_well_again_though_nothing_else_comes(
    world: World, outside: Outside
) -> None:
    async def fail(envelope: Envelope) -> None:
        raise ZeroDivisionError

    async def parked_again() -> bool:
        return len(await parked_items(runner)) == 1

    outside.answer = fail
    end = await world.happened("a", OPENED, UP)
    runner = world.reaction(Telling, outside)

    async with run(runner):
        await passed(runner, end.position)
        await parked_in(runner, 1)
        await runner.replay()
        await state(runner, SubscriptionState.RETRYING)
        await eventually(parked_again)
        outside.answer = outside.listen
        await runner.replay()
        await nothing_parked(runner)
        await state(runner, SubscriptionState.LIVE)
        assert runner.status.error is None


async def test_given_a_handler_that_awaits_what_was_cancelled_then_its_event_is_parked_as_any_that_fails(
    world: World, outside: Outside
) -> None:
    async def fail(envelope: Envelope) -> None:
        if envelope.aggregate_id == "a":
            raise asyncio.CancelledError

    outside.answer = fail
    await world.happened("a", OPENED, UP)
    end = await world.happened("b", OPENED, UP)
    runner = world.reaction(Telling, outside)

    async with run(runner):
        await passed(runner, end.position)
        (item,) = await parked_items(runner)
        assert (item.group, item.error) == ("counter-a", "HandlerCancelled")


async def test_given_parked_events_when_the_process_is_another_one_then_it_tells_of_them_at_once(
    world: World, outside: Outside
) -> None:
    async def fail(_: Envelope) -> None:
        raise ZeroDivisionError

    outside.answer = fail
    end = await world.happened("a", OPENED, UP)
    first = world.reaction(Telling, outside)
    async with run(first):
        await passed(first, end.position)

    second = world.reaction(Telling, outside)
    async with run(second):
        await state(second, SubscriptionState.LIVE)
        assert second.status.parked == 1


async def test_given_a_replay_that_takes_long_then_it_is_in_the_lanes_once_and_the_others_flow(
    world: World, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaction_runner, "_IN_HAND", 5)
    release = asyncio.Event()
    looks = 0

    async def fail(_: Envelope) -> None:
        raise ZeroDivisionError

    async def hold_a(envelope: Envelope) -> None:
        if envelope.aggregate_id == "a":
            await release.wait()

    outside.answer = fail
    end = await world.happened("a", OPENED, UP)
    runner = world.reaction(Telling, outside, lease_s=0.03)
    async with run(runner):
        await passed(runner, end.position)
        outside.answer = hold_a
        requested = runner.parking.requested

        async def counted() -> Sequence[str]:
            nonlocal looks
            looks += 1
            return await requested()

        monkeypatch.setattr(runner.parking, "requested", counted)

        async def has_looked() -> bool:
            return looks > 10

        await runner.replay()
        await eventually(has_looked)
        end = await world.happened("b", OPENED, UP)
        await passed(runner, end.position)
        release.set()
        await nothing_parked(runner)


async def test_given_a_stream_that_takes_long_then_the_others_run_ahead_of_it_only_so_far(
    world: World, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaction_runner, "_WINDOW", 4)
    release = outside.hold("a")
    await world.happened("a", UP, expected=-1)
    end = await world.happened("b", *[UP] * 20)
    runner = world.reaction(Telling, outside)

    async def waits() -> bool:
        return len(outside.heard) == 4

    async with run(runner):
        await eventually(waits)
        pauses = 0
        pause = runner._patience.pause

        async def counted(seconds: float) -> None:
            nonlocal pauses
            pauses += 1
            await pause(seconds)

        monkeypatch.setattr(runner._patience, "pause", counted)

        async def has_waited() -> bool:
            return pauses > 3

        await eventually(has_waited)
        assert len(outside.heard) == 4
        release.set()
        await passed(runner, end.position)

    assert await told(world) == {"a": (1, [0]), "b": (20, list(range(20)))}


async def test_given_a_stream_that_takes_long_when_stopping_then_what_waits_behind_it_does_not_hold_that_up(
    world: World, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaction_runner, "_WINDOW", 2)
    release = outside.hold("a")
    await world.happened("a", UP, expected=-1)
    await world.happened("b", *[UP] * 5)

    async def waits() -> bool:
        return len(outside.heard) == 2

    runner = world.reaction(Telling, outside)
    async with run(runner):
        await eventually(waits)
        await runner.stop()
        release.set()

    assert await told(world) == {"a": (1, [0]), "b": (1, [0])}


async def test_given_a_parked_event_that_comes_again_then_it_stays_as_it_is(world: World, outside: Outside) -> None:
    async def fail(_: Envelope) -> None:
        raise ZeroDivisionError

    outside.answer = fail
    end = await world.happened("a", OPENED, UP)
    runner = world.reaction(Telling, outside)
    async with run(runner):
        await passed(runner, end.position)
    session = Session(world.documents)
    await session.delete(CHECKPOINTS, "Telling")  # as if its process had died before the mark was saved
    await session.commit()

    again = world.reaction(Telling, outside)
    async with run(again):
        await passed(again, end.position)

    (item,) = await parked_items(again)
    assert item.error == "ZeroDivisionError"


async def test_given_a_handler_that_kills_the_process_then_after_so_many_deaths_its_event_is_parked(
    world: World, outside: Outside
) -> None:
    async def die(_: Envelope) -> None:
        task.cancel()
        await asyncio.Event().wait()

    outside.answer = die
    end = await world.happened("a", OPENED, UP)
    for _ in range(1 + ATTEMPTS):
        task = asyncio.create_task(world.reaction(Telling, outside, lease_s=0.02).run())
        async with asyncio.timeout(LIMIT_S):
            await asyncio.wait([task])

    survivor = world.reaction(Telling, outside, lease_s=0.02)
    async with run(survivor):
        await passed(survivor, end.position)
        (item,) = await parked_items(survivor)
        assert (item.error, item.attempts) == ("ProcessDied", ATTEMPTS)

    assert len(outside.heard) == 1 + ATTEMPTS


async def test_given_others_in_hand_beside_one_that_kills_then_it_alone_is_parked(
    world: World, outside: Outside
) -> None:
    outside.kill_at("ill", lambda: running.cancel())
    for id in ("a", "b"):
        await world.happened(id, OPENED, UP)
    await world.happened("ill", OPENED, UP)
    end = await world.happened("c", OPENED, UP)
    arrived = False
    while not arrived:
        survivor = world.reaction(Telling, outside, lease_s=0.02)
        running, arriving = asyncio.create_task(survivor.run()), asyncio.create_task(passed(survivor, end.position))
        async with asyncio.timeout(LIMIT_S):
            await asyncio.wait([running, arriving], return_when=asyncio.FIRST_COMPLETED)
        arrived = arriving.done()
        arriving.cancel()
    await survivor.stop()
    await running

    (item,) = await parked_items(survivor)
    assert (item.group, item.error, item.attempts) == ("counter-ill", "ProcessDied", ATTEMPTS)
    assert await told(world) == {"a": (1, [1]), "b": (1, [1]), "c": (1, [1])}


async def test_given_suspects_when_the_outside_of_one_is_down_then_the_others_flow(
    world: World, outside: Outside
) -> None:
    in_hand: list[str] = []

    async def hold(envelope: Envelope) -> None:
        in_hand.append(envelope.aggregate_id)
        await asyncio.Event().wait()

    async def both_are() -> bool:
        return len(in_hand) == 2

    outside.answer = hold
    await world.happened("a", OPENED, UP)
    end = await world.happened("b", OPENED, UP)
    for _ in range(2):  # at the first death nobody counts
        in_hand.clear()
        dying = asyncio.create_task(world.reaction(Telling, outside, lease_s=0.02).run())
        await eventually(both_are)
        dying.cancel()
        await asyncio.wait([dying])

    async def is_down(envelope: Envelope) -> None:
        if envelope.aggregate_id == "a" and down:
            raise Unavailable("the outside")

    async def b_is_told() -> bool:
        return (await told(world)).get("b") == (1, [1])

    down = True
    outside.answer = is_down
    survivor = world.reaction(Telling, outside, lease_s=0.02)
    async with run(survivor):
        await eventually(b_is_told)
        assert "a" not in await told(world)
        down = False
        await passed(survivor, end.position)

    assert await told(world) == {"a": (1, [1]), "b": (1, [1])}


class Sending(Reaction, workers=4):
    """Tells the outside, and notes nothing."""

    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    @on
    async def increased(self, event: CounterIncreased, envelope: Envelope) -> None:
        self.outside.heard.append((envelope.aggregate_id, envelope.revision))
        await self.outside.answer(envelope)


async def dead(runner: ReactionRunner, *conditions: Callable[[], Awaitable[bool]]) -> None:
    """Runs it until the conditions hold, and lets it die."""
    task = asyncio.create_task(runner.run())
    for condition in conditions:
        await eventually(condition)
    task.cancel()
    await asyncio.wait([task])


async def test_given_events_that_wait_for_an_outside_when_processes_die_meanwhile_then_none_is_parked(
    world: World, outside: Outside
) -> None:
    async def is_down(_: Envelope) -> None:
        raise Unavailable("the outside", retry_after=3600)

    async def nobody_is_in_hand() -> bool:
        return not any([item.attempts async for item in WorkItems(world.documents, "Sending").find(WorkState.RUNNING)])

    outside.answer = is_down
    for id in "abc":
        end = await world.happened(id, OPENED, UP)
    for _ in range(2 + ATTEMPTS):
        outside.heard.clear()
        heard = partial(has_heard, outside, 3)
        await dead(world.reaction(Sending, outside, lease_s=0.02), heard, nobody_is_in_hand)

    outside.answer = outside.listen
    survivor = world.reaction(Sending, outside, lease_s=0.02)
    async with run(survivor):
        await passed(survivor, end.position)
        assert await parked_items(survivor) == []


async def has_heard(outside: Outside, count: int) -> bool:
    return len(outside.heard) >= count


async def test_given_an_outside_that_is_down_when_other_events_come_then_that_is_told_until_it_is_up(
    world: World, outside: Outside
) -> None:
    async def is_down(_: Envelope) -> None:
        if down:
            raise Unavailable("the outside")

    down, outside.answer = True, is_down
    await world.happened("a", OPENED, UP)
    runner = world.reaction(Sending, outside)
    async with run(runner):
        await state(runner, SubscriptionState.RETRYING)
        for id in "bcd":
            await world.happened(id, OPENED)  # which nobody handles
            last = await world.events.head()
            await eventually(partial(has_begun, runner, last))
            assert (runner.status.state, runner.status.error) == (SubscriptionState.RETRYING, "Unavailable")
        down = False
        await state(runner, SubscriptionState.LIVE)
        assert runner.status.error is None


async def has_begun(runner: ReactionRunner, position: int) -> bool:
    return runner._mark.last >= position


async def test_given_one_on_trial_when_an_earlier_one_is_parked_then_it_stands_behind_it_and_is_not_lost(
    world: World, outside: Outside
) -> None:
    async def first_life(envelope: Envelope) -> None:
        if envelope.aggregate_id == "stuck":  # it keeps the checkpoint back
            await asyncio.Event().wait()
        if envelope.revision == 2:
            raise ZeroDivisionError

    async def second_is_on_trial() -> bool:
        return bool(await WorkItems(world.documents, "Sending").page(WorkState.RUNNING))

    async def second_life(envelope: Envelope) -> None:
        if (envelope.aggregate_id, envelope.revision) == ("a", 1):
            raise LookupError

    outside.answer = first_life
    await world.happened("stuck", OPENED, UP)
    end = await world.happened("a", OPENED, UP, UP)
    await dead(world.reaction(Sending, outside, lease_s=0.02), second_is_on_trial)

    outside.answer = second_life
    survivor = world.reaction(Sending, outside, lease_s=0.02)
    async with run(survivor):
        await passed(survivor, end.position)
        parked = [(item.body["revision"], item.error) for item in await parked_items(survivor)]
        assert parked == [(1, "LookupError"), (2, None)]
        outside.answer = outside.listen
        outside.heard.clear()
        await survivor.replay()
        await nothing_parked(survivor)
    assert [heard for heard in outside.heard if heard[0] == "a"] == [("a", 1), ("a", 2)]


async def test_given_a_replay_when_one_of_it_kills_then_it_alone_is_parked(world: World, outside: Outside) -> None:
    async def fail(_: Envelope) -> None:
        raise LookupError

    outside.answer = fail
    for id in ("a", "ill", "b"):
        end = await world.happened(id, OPENED, UP)
    first = world.reaction(Sending, outside, lease_s=0.02)
    async with run(first):
        await passed(first, end.position)
        await parked_in(first, 3)

    outside.kill_at("ill", lambda: running.cancel())
    await first.replay()
    for _ in range(ATTEMPTS):
        running = asyncio.create_task(world.reaction(Sending, outside, lease_s=0.02).run())
        async with asyncio.timeout(LIMIT_S):
            await asyncio.wait([running])
    survivor = world.reaction(Sending, outside, lease_s=0.02)
    async with run(survivor):

        async def all_is_settled() -> bool:
            return not await survivor.parking.requested()

        await eventually(all_is_settled)
        (item,) = await parked_items(survivor)
        assert (item.group, item.error) == ("counter-ill", "ProcessDied")


async def test_given_suspects_that_wait_for_their_turn_when_stopping_then_none_of_them_is_begun(
    world: World, outside: Outside
) -> None:
    release = asyncio.Event()

    async def hold(_: Envelope) -> None:
        await release.wait()

    outside.answer = hold
    for id in "abc":
        await world.happened(id, OPENED, UP)
    for _ in range(2):
        outside.heard.clear()
        await dead(world.reaction(Sending, outside, lease_s=0.02), partial(has_heard, outside, 3))

    outside.heard.clear()
    survivor = world.reaction(Sending, outside, lease_s=0.02)
    async with run(survivor):
        await eventually(partial(has_heard, outside, 1))
        await survivor.stop()
        release.set()
    assert len(outside.heard) == 1


async def test_given_a_version_without_the_handler_of_what_was_on_trial_then_its_stream_can_be_replayed_all_the_same(
    world: World, outside: Outside
) -> None:
    class Closing(Reaction, name="Sending"):
        def __init__(self, outside: Outside) -> None:
            self.outside = outside

        @on
        async def closed(self, event: CounterClosed, envelope: Envelope) -> None:
            await self.outside.answer(envelope)

    async def hold(_: Envelope) -> None:
        await asyncio.Event().wait()

    async def fail(_: Envelope) -> None:
        raise LookupError

    outside.answer = hold
    await world.happened("a", OPENED, UP)
    for _ in range(2):
        outside.heard.clear()
        await dead(world.reaction(Sending, outside, lease_s=0.02), partial(has_heard, outside, 1))

    outside.answer = fail
    end = await world.happened("a", CounterClosed())
    newer = world.reaction(Closing, outside, lease_s=0.02)
    async with run(newer):
        await passed(newer, end.position)
        await parked_in(newer, 1)
        outside.answer = outside.listen
        await newer.replay()
        await nothing_parked(newer)


class BeatingScope:
    """What a scope has of it ends with a task that it cancels itself, and awaits: nobody has cancelled the handler."""

    async def aclose(self) -> None:
        beating = asyncio.create_task(asyncio.sleep(3600))
        await asyncio.sleep(0)
        beating.cancel()
        await beating


async def test_given_a_scope_whose_end_meets_a_cancelled_task_then_its_event_is_parked_as_any_that_fails(
    world: World, outside: Outside
) -> None:
    class Beating(BeatingScope, Sending, name="Sending"):
        pass

    end = await world.happened("a", OPENED, UP)
    runner = world.reaction(Beating, outside)

    async with run(runner):
        await passed(runner, end.position)
        (item,) = await parked_items(runner)
        assert (item.group, item.error) == ("counter-a", "HandlerCancelled")


async def test_given_a_rival_that_took_over_then_the_slow_one_writes_nothing_and_goes_on_from_there(
    world: World, outside: Outside
) -> None:
    end = await world.happened("a", OPENED, UP)
    release = asyncio.Event()

    async def hold(_: Envelope) -> None:
        await release.wait()

    async def heard() -> bool:
        return bool(outside.heard)

    outside.answer = hold
    slow = world.reaction(Telling, outside)
    async with run(slow):
        await eventually(heard)
        fast = world.reaction(Telling, Outside(), lease_name="of one that took over")
        async with run(fast):
            await passed(fast, end.position)
            end = await world.happened("a", UP)
            await passed(fast, end.position)
        assert await told(world) == {"a": (2, [1, 2])}
        release.set()
        outside.answer = outside.listen
        await passed(slow, end.position)
        await state(slow, SubscriptionState.LIVE)

    assert await world.checkpoint("Telling") == end.position
    assert await told(world) == {"a": (2, [1, 2])}
    assert outside.heard == [("a", 1)], "what the rival has done is not even begun"


async def test_given_a_death_behind_which_more_is_done_than_the_checkpoint_tells_then_it_is_not_done_again(
    world: World, outside: Outside
) -> None:
    outside.hold("a")
    before = await world.happened("a", OPENED)
    await world.happened("a", UP)
    end = await world.happened("b", OPENED, UP, UP)
    dying = asyncio.create_task(world.reaction(Telling, outside, lease_s=0.02).run())

    async def b_is_told() -> bool:
        return (await told(world)).get("b") == (2, [1, 2])

    await eventually(b_is_told)
    dying.cancel()
    await asyncio.wait([dying])
    assert await world.checkpoint("Telling") in {None, before.position}

    survivor = world.reaction(Telling, others := Outside(), lease_s=0.02)
    async with run(survivor):
        await passed(survivor, end.position)

    assert others.heard == [("a", 1)]
    assert await told(world) == {"a": (1, [1]), "b": (2, [1, 2])}


async def test_given_a_rival_in_the_midst_of_the_same_event_then_it_is_written_once(
    world: World, outside: Outside
) -> None:
    """Both have read before either writes."""
    slow_waits, fast_waits = outside.hold("a"), (others := Outside()).hold("a")
    end = await world.happened("a", OPENED, UP)

    async def both_heard() -> bool:
        return bool(outside.heard and others.heard)

    slow = world.reaction(Telling, outside)
    fast = world.reaction(Telling, others, lease_name="of one that took over")
    async with run(slow, fast):
        await eventually(both_heard)
        slow_waits.set()
        fast_waits.set()
        await passed(slow, end.position)
        await passed(fast, end.position)

    assert await told(world) == {"a": (1, [1])}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids=st.lists(st.sampled_from("abc"), max_size=8), repeats=st.lists(st.integers(0, 9), max_size=20))
async def test_given_every_event_twice_and_a_restart_at_every_position_then_each_takes_effect_once(
    ids: list[str], repeats: list[int]
) -> None:
    async with World.open(events := RepeatingEvents(*repeats)) as world:
        expected: dict[str, tuple[int, list[int]]] = {}
        for id in ids:
            total, revisions = expected.get(id, (0, []))
            last = await world.happened(id, UP)
            expected[id] = total + 1, [*revisions, last.revision]
            async with run(runner := world.reaction(Telling, Outside())):
                await passed(runner, last.position)
                await events.twice(last.position)

        assert all(times > 1 for times in events.told.values())
        assert await told(world) == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    happenings=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["ok", "fails", "poison"])), max_size=10),
    faults=st.lists(st.sampled_from(["before", "after"]), max_size=6),
    restarts=st.sets(st.integers(0, 9)),
)
async def test_given_any_failures_and_restarts_then_nothing_is_left_out_or_written_twice_and_each_stream_is_in_order(
    happenings: list[tuple[str, str]], faults: list[str], restarts: set[int]
) -> None:
    async with World.open() as world:
        outside, failed = Outside(), set[str]()
        fates: dict[tuple[str, int], str] = {}

        async def meet_fate(envelope: Envelope) -> None:
            fate = fates[envelope.aggregate_id, envelope.revision]
            if fate == "poison" or (fate == "fails" and envelope.id not in failed):
                failed.add(envelope.id)
                raise ZeroDivisionError

        outside.answer = meet_fate
        documents = FlakyDocuments(world.documents, *faults)
        counts: dict[str, int] = {}
        runner = world.reaction(Telling, outside, documents=documents)
        running = run(runner)
        await running.__aenter__()
        last = -1
        for number, (id, fate) in enumerate(happenings):
            if id not in counts:
                counts[id] = 0
                await world.happened(id, OPENED)
            counts[id] += 1
            fates[id, counts[id]] = fate
            last = (await world.happened(id, UP)).position
            if number in restarts:
                await running.__aexit__(None, None, None)
                runner = world.reaction(Telling, outside, documents=documents)
                running = run(runner)
                await running.__aenter__()
        await passed(runner, last)
        fates = dict.fromkeys(fates, "ok")
        while await parked_items(runner) or await runner.parking.requested():
            await runner.replay()
        await nothing_parked(runner)
        await running.__aexit__(None, None, None)

        shown = await told(world)
        for id, count in counts.items():
            assert shown[id] == (count, list(range(1, count + 1))), "in order, none left out, none twice"
