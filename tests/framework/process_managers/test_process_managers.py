"""Process managers: steps take effect once, deadlines are met, and what stands still is given its step again."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict
from datetime import timedelta

import pytest

from neuroglia.core import Clock, ConfigurationError, NotFoundError, Unavailable, derived_id
from neuroglia.documents import DocumentStore, DocumentType, Session, WorkItems, WorkState, Write
from neuroglia.domain import DomainEvent
from neuroglia.event_sourcing import EventCodec, EventStore, Reaction, Subscriptions, SubscriptionState, on
from neuroglia.event_sourcing.handlers import SubscriberType
from neuroglia.event_sourcing.subscriptions import Checkpoint
from neuroglia.hosting import ServiceSettings, WebApplicationBuilder
from neuroglia.process_managers import ProcessManager, Steps
from neuroglia.process_managers.runner import ProcessRunner
from neuroglia.testing import FixedClock, RunningService, given_process, in_memory, running
from tests.framework.process_managers import ordering
from tests.framework.process_managers.ordering import (
    HOUR,
    Charge,
    Charged,
    ChargeHandler,
    End,
    Ended,
    EndHandler,
    Order,
    Ordering,
    Placed,
    World,
)
from tests.support.engines import IN_MEMORY, Backing
from tests.support.waiting import eventually

DEADLINES = "Ordering:deadlines"


@pytest.fixture(autouse=True)
def nothing_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(World, "sent", [])
    monkeypatch.setattr(World, "stumbles", False)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


def builder_on(backing: Backing, clock: Clock) -> WebApplicationBuilder:
    builder = WebApplicationBuilder(ServiceSettings(lease_seconds=0.3, log_level="ERROR", **asdict(backing)))
    builder.add_mediation(ordering.__name__)
    builder.add_event_sourcing(ordering.__name__, subscriptions=ordering.__name__)
    builder.add_documents(ordering.__name__)
    builder.services.add_instance(Clock, clock)
    return in_memory(builder) if backing == IN_MEMORY else builder


@pytest.fixture
async def service(backing: Backing, clock: FixedClock) -> AsyncIterator[RunningService]:
    async with running(builder_on(backing, clock).build()) as service:
        yield service


async def history(service: RunningService, id: str) -> list[DomainEvent]:
    store, codec = await service.services.get(EventStore), await service.services.get(EventCodec)
    return [codec.decode(stored) async for stored in store.read(f"order-{id}")]


async def items(service: RunningService, state: WorkState) -> list[str]:
    queue = WorkItems(await service.services.get(DocumentStore), DEADLINES)
    return [f"{item.group} {item.error}" async for item in queue.find(state)]


async def ends(service: RunningService, id: str, how: str) -> None:
    """Returns when an order has ended so."""

    async def ended() -> bool:
        return (await history(service, id))[-1] == Ended(how=how)

    await eventually(ended)


def id_of(process: str, step: str) -> str:
    """Of the one command that a step sends."""
    return derived_id(derived_id("Ordering", process, step), "sent", 0)


async def test_given_an_order_then_its_steps_follow_each_other_with_ids_of_their_own(service: RunningService) -> None:
    await service.given(Order, "1", Placed())

    assert await history(service, "1") == [Placed(), Charged(), Ended(how="delivered")]
    assert World.sent == [
        ("charge", id_of("1", "charge")), ("delivered", id_of("1", "deliver"))
    ]  # fmt: skip


async def test_given_a_reaction_that_sends_two_commands_to_one_stream_then_each_takes_effect_once(
    service: RunningService,
) -> None:
    await service.given(Order, "encore", Placed())
    once = [Placed(), Charged(), Ended(how="delivered"), Charged(), Charged()]
    assert await history(service, "encore") == once

    session = Session(await service.services.get(DocumentStore))
    await session.delete(DocumentType(Checkpoint), "Encore")
    await session.commit()
    runner = (await service.services.get(Subscriptions)).runners[ordering.Encore]
    await runner._begin_again()

    async def the_events_came_again() -> bool:
        return [what for what, _ in World.sent].count("charge") == 5

    await eventually(the_events_came_again)
    await service.settle()

    assert await history(service, "encore") == once


async def test_given_a_refusal_then_what_follows_from_it_is_sent(service: RunningService) -> None:
    await service.given(Order, "unlucky", Placed())

    assert await history(service, "unlucky") == [Placed(), Ended(how="failed: state-conflict")]


async def test_given_a_deadline_then_it_is_met_when_its_time_has_come_and_not_before(
    service: RunningService, clock: FixedClock
) -> None:
    await service.given(Order, "slow", Placed())
    clock.advance(HOUR - timedelta(seconds=1))
    await service.given(Order, "2", Placed())
    assert await history(service, "slow") == [Placed(), Charged()]

    clock.advance(timedelta(seconds=1))

    await ends(service, "slow", "expired")
    assert World.sent[-1] == ("expired", id_of("slow", "expire"))


async def test_given_a_deadline_when_it_does_not_matter_any_more_then_it_is_refused_and_gone(
    service: RunningService, clock: FixedClock
) -> None:
    await service.given(Order, "1", Placed())
    clock.advance(HOUR)

    async def gone() -> bool:
        return await items(service, WorkState.WAITING) == await items(service, WorkState.RUNNING) == []

    await eventually(gone)
    assert await history(service, "1") == [Placed(), Charged(), Ended(how="delivered")]


@pytest.mark.parametrize("engine", ["embedded"], indirect=True)
@pytest.mark.integration
async def test_given_a_restart_then_deadlines_are_still_met(backing: Backing, clock: FixedClock) -> None:
    async with running(builder_on(backing, clock).build()) as service:
        await service.given(Order, "slow", Placed())
    clock.advance(2 * HOUR)
    async with running(builder_on(backing, clock).build()) as service:
        await ends(service, "slow", "expired")


async def test_given_a_deadline_that_fails_again_and_again_then_it_is_parked_and_told(
    service: RunningService, clock: FixedClock
) -> None:
    await service.given(Order, "slow", Placed())
    World.stumbles = True

    async def parked() -> bool:
        clock.advance(HOUR)  # for each try its pause
        return await items(service, WorkState.PARKED) == ["order-slow LookupError"]

    await eventually(parked)
    assert [how for how, _ in World.sent].count("expired") == Ordering.attempts


async def test_given_a_deadline_that_waits_for_a_service_then_it_waits_however_long(
    service: RunningService, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries = 0

    async def is_down(self: EndHandler, command: End) -> None:
        nonlocal tries
        tries += 1
        raise Unavailable("the outside")

    async def tried_often() -> bool:
        clock.advance(HOUR)
        return tries > 2 * Ordering.attempts

    await service.given(Order, "slow", Placed())
    with monkeypatch.context() as patched:
        patched.setattr(EndHandler, "handle", is_down)
        await eventually(tried_often)
    assert await items(service, WorkState.PARKED) == []
    clock.advance(HOUR)

    await ends(service, "slow", "expired")


async def test_given_a_deadline_behind_a_step_that_takes_longer_than_a_lease_then_it_is_begun_once(
    service: RunningService, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    charged, release, original = asyncio.Event(), asyncio.Event(), ChargeHandler.handle

    async def hold(self: ChargeHandler, command: Charge) -> None:
        charged.set()
        await release.wait()
        await original(self, command)

    async def passes(times: int) -> None:
        runner = (await service.services.get(Subscriptions)).runners[Ordering]
        for _ in range(times):  # each would claim it again, when its owner seems to have died
            clock.advance(timedelta(seconds=1))
            await runner._attend()

    monkeypatch.setattr(ChargeHandler, "handle", hold)
    await service.happened(Order, "slow", Placed())
    await charged.wait()
    clock.advance(HOUR)
    await passes(2 * Ordering.attempts)
    release.set()

    await ends(service, "slow", "expired")
    assert [how for how, _ in World.sent] == ["charge", "expired"]
    assert await items(service, WorkState.PARKED) == []


async def test_given_deadlines_in_the_lanes_when_the_runner_begins_anew_then_they_are_met_all_the_same(
    service: RunningService, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, release, lost, original = asyncio.Event(), asyncio.Event(), asyncio.Event(), EndHandler.handle
    store = await service.services.get(DocumentStore)
    commit, orders = store.commit, [f"slow-{number}" for number in range(2 * Ordering.workers)]

    async def hold(self: EndHandler, command: End) -> None:
        begun.set()
        await release.wait()
        await original(self, command)

    async def commit_unheard(writes: Sequence[Write]) -> None:
        await commit(writes)
        if not lost.is_set() and any((write.collection, write.key) == ("checkpoints", "Ordering") for write in writes):
            lost.set()
            raise Unavailable("its answer is lost")

    async def anew() -> bool:
        return runner._lanes not in {None, lanes}

    async def all_met() -> bool:
        clock.advance(timedelta(seconds=1))  # whose turn it was is taken over in time
        return all([(await history(service, order))[-1] == Ended(how="expired") for order in orders])

    for order in orders:
        await service.happened(Order, order, Placed())
    await service.settle()
    monkeypatch.setattr(EndHandler, "handle", hold)
    clock.advance(HOUR)
    await begun.wait()
    runner = (await service.services.get(Subscriptions)).runners[Ordering]
    assert isinstance(runner, ProcessRunner)
    lanes = runner._lanes
    monkeypatch.setattr(store, "commit", commit_unheard)
    await service.happened(Order, "other", Ended(how="done"))  # the checkpoint moves
    await eventually(anew)
    release.set()

    await eventually(all_met)


async def test_given_a_deadline_whose_handler_awaits_what_is_cancelled_then_it_alone_is_parked(
    service: RunningService, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, orders = EndHandler.handle, [f"slow-{number}" for number in range(2 * Ordering.workers)]

    async def await_cancelled(self: EndHandler, command: End) -> None:
        if command.order_id == orders[3]:
            nothing = asyncio.get_running_loop().create_future()
            nothing.cancel()
            await nothing
        await original(self, command)

    async def parked() -> bool:
        clock.advance(HOUR)
        return await items(service, WorkState.PARKED) == [f"order-{orders[3]} HandlerCancelled"]

    for order in orders:
        await service.happened(Order, order, Placed())
    await service.settle()
    monkeypatch.setattr(EndHandler, "handle", await_cancelled)

    await eventually(parked)
    for order in orders[:3] + orders[4:]:
        await ends(service, order, "expired")


async def test_given_a_deadline_that_has_failed_when_it_is_answered_then_that_is_told(
    service: RunningService, clock: FixedClock
) -> None:
    status = (await service.services.get(Subscriptions)).runners[Ordering].status

    async def told() -> bool:
        return status.error == "LookupError"

    async def recovered() -> bool:
        clock.advance(HOUR)
        return status.error is None and status.state is SubscriptionState.LIVE

    await service.given(Order, "1", Placed())  # and delivered: what is asked when the time has come, is refused
    World.stumbles = True
    clock.advance(HOUR)
    await eventually(told)
    World.stumbles = False

    await eventually(recovered)
    assert await items(service, WorkState.WAITING) == []


async def test_given_a_process_that_stands_still_when_swept_then_its_last_event_is_handled_again(
    service: RunningService, clock: FixedClock
) -> None:
    World.stumbles = True
    await service.given(Order, "lost", Placed())
    runner = (await service.services.get(Subscriptions)).runners[Ordering]
    assert runner.status.parked == 1
    World.stumbles = False
    await runner.discard("order-lost")

    async def nothing_parked() -> bool:
        return runner.status.parked == 0

    await eventually(nothing_parked)
    assert await history(service, "lost") == [Placed()]
    clock.advance(7 * HOUR)

    await ends(service, "lost", "delivered")


async def test_given_processes_whose_turn_is_still_to_come_when_swept_then_no_step_is_sent_twice(
    service: RunningService, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, original = asyncio.Event(), ChargeHandler.handle
    runner = (await service.services.get(Subscriptions)).runners[Ordering]
    assert isinstance(runner, ProcessRunner)
    orders = [str(number) for number in range(12)]  # more than there are workers

    async def hold(self: ChargeHandler, command: Charge) -> None:
        await release.wait()
        await original(self, command)

    async def seem_to_stand_still() -> bool:
        return set(await runner._unfinished(clock.now())) == set(orders)

    monkeypatch.setattr(ChargeHandler, "handle", hold)
    for order in orders:
        await service.happened(Order, order, Placed())
    clock.advance(7 * HOUR)
    await eventually(seem_to_stand_still)
    await runner._attend()
    release.set()
    await service.settle()

    assert {await history(service, order) != [Placed()] for order in orders} == {True}
    assert len(World.sent) == len(set(World.sent))


async def test_given_what_is_parked_when_swept_then_it_is_left_to_whoever_looks_after_it(
    service: RunningService, clock: FixedClock
) -> None:
    World.stumbles = True
    await service.given(Order, "held", Placed())
    World.stumbles = False
    World.sent.clear()
    clock.advance(7 * HOUR)
    await service.given(Order, "other", Placed())
    clock.advance(7 * HOUR)
    await ends(service, "other", "delivered")

    assert await history(service, "held") == [Placed()]


def test_given_the_kit_then_steps_deadlines_and_refusals_can_be_told() -> None:
    steps = given_process(Ordering).when(Order, "1", Placed()).steps

    steps.then(Charge("1")).then(End("1", "expired"), after=HOUR)
    steps.when_refused(NotFoundError("order", "1")).then(End("1", "failed: not-found"))
    steps.when_done().then()
    given_process(Ordering).when(Order, "1", Ended(how="")).steps.then()
    with pytest.raises(AssertionError, match="sent are"):
        steps.then()


def test_given_a_process_manager_that_does_something_itself_then_the_start_says_what_to_write() -> None:
    class Eager(ProcessManager, of=Order):
        @on
        async def placed(self, event: Placed) -> Steps:
            return None

    with pytest.raises(ConfigurationError, match=r"Eager\.placed: an @on method is a plain function; write def"):
        SubscriberType.read(Eager)


def test_given_a_reaction_that_is_no_coroutine_then_the_start_says_what_to_write() -> None:
    class Lazy(Reaction):
        @on
        def placed(self, event: Placed) -> None: ...

    with pytest.raises(ConfigurationError, match=r"Lazy\.placed: an @on method is a coroutine; write async def"):
        SubscriberType.read(Lazy)
