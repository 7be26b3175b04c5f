"""The inbox: what is accepted is durable, and takes effect once, whatever comes twice, fails or dies."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from neuroglia.cloud_events import CloudEventBus
from neuroglia.cloud_events.inbox import Inbox
from neuroglia.core import NotFoundError, SystemClock, Unavailable, derived_id
from neuroglia.documents import DocumentStore, WorkQueue, WorkState
from neuroglia.event_sourcing import EventStore
from tests.framework.cloud_events.orders import DOWN, Script
from tests.framework.cloud_events.world import BATCHED, EVENT, Orders, orders_on
from tests.support.engines import Backing
from tests.support.hostile import HOSTILE
from tests.support.waiting import eventually

pytestmark = pytest.mark.service

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def test_given_an_event_when_accepted_then_its_handler_runs_in_a_context_of_its_own(orders: Orders) -> None:
    head = await (await orders.service.services.get(EventStore)).head()

    answer = await orders.send({**EVENT, "correlationid": "c-1", "traceparent": TRACE})

    assert (answer.status_code, answer.content) == (202, b"")
    (row,) = await orders.all_done()
    (context,) = orders.script.contexts
    assert (context.correlation_id, context.causation_id, context.traceparent) == ("c-1", "1", TRACE)
    assert (context.principal.id, context.command_id, context.since) == ("system:inbox", derived_id("/shop", "1"), head)
    (paid,) = await orders.payments()
    assert (paid.correlation_id, paid.causation_id, paid.actor) == ("c-1", "1", "system:inbox")
    assert (await orders.receipt(), row.error, row.attempts) == (5, None, 1)


async def test_given_no_correlation_or_an_unsafe_one_then_there_is_one_all_the_same(orders: Orders) -> None:
    await orders.send(EVENT, **{"x-correlation-id": "of-the-request"})
    await orders.all_done()
    await orders.send({**EVENT, "id": "2", "correlationid": "forged\u2028line"})

    await orders.all_done(2)
    first, second = (context.correlation_id for context in orders.script.contexts)
    assert first == "of-the-request"
    assert "forged" not in second


@pytest.mark.parametrize("odd", [5, True, "", "x" * 129])
async def test_given_a_correlation_or_trace_that_is_none_then_the_event_is_taken_without(
    orders: Orders, odd: object
) -> None:
    assert (await orders.send({**EVENT, "correlationid": odd, "traceparent": odd})).status_code == 202

    await orders.all_done()
    (context,) = orders.script.contexts
    assert (len(context.correlation_id) <= 128, context.traceparent) == (True, None)


@pytest.mark.parametrize("attribute", ["source", "id", "subject", "type"])
async def test_given_hostile_texts_in_an_attribute_then_each_is_a_text_of_its_own(
    orders: Orders, attribute: str
) -> None:
    """Source and id become the key of a row."""
    accepted = 0
    for number, text in enumerate(HOSTILE.values()):
        event = {**EVENT, "id": str(number), attribute: text}
        answers = {(await orders.send(event)).status_code for _ in range(2)}
        assert answers < {202, 400, 422}
        assert len(answers) == 1
        accepted += answers == {202}

    assert accepted > len(HOSTILE) / 2
    known = 0 if attribute == "type" else accepted  # of another type than ours, nothing is noted
    await orders.all_done(known)
    assert await orders.receipt() == 5 * known


@pytest.mark.parametrize("times", [1, 2, 5])
async def test_given_an_event_that_comes_several_times_then_it_takes_effect_once(orders: Orders, times: int) -> None:
    for _ in range(times):
        assert (await orders.send(EVENT)).status_code == 202
        await orders.all_done()

    assert (len(await orders.payments()), await orders.receipt()) == (1, 5)


async def test_given_an_event_that_comes_several_times_at_once_then_it_takes_effect_once(orders: Orders) -> None:
    answers = await asyncio.gather(*(orders.send(EVENT) for _ in range(8)), orders.send([EVENT] * 5, BATCHED))

    assert {answer.status_code for answer in answers} == {202}
    await orders.all_done()
    assert (len(await orders.payments()), await orders.receipt()) == (1, 5)


async def test_given_the_same_id_from_another_source_then_it_is_another_event(orders: Orders) -> None:
    await orders.send([EVENT, {**EVENT, "source": "/other"}], BATCHED)

    await orders.all_done(2)
    assert (len(await orders.payments()), await orders.receipt()) == (2, 10)


async def test_given_an_event_that_is_done_when_it_comes_again_with_other_data_then_nothing_changes(
    orders: Orders,
) -> None:
    await orders.send(EVENT)
    before = await orders.all_done()

    await orders.send({**EVENT, "data": {"order_id": "a", "amount": 7}})

    assert await orders.rows() == before
    assert await orders.receipt() == 5


async def test_given_a_type_that_nobody_handles_then_it_is_accepted_and_not_noted(orders: Orders) -> None:
    assert (await orders.send({**EVENT, "type": "io.elsewhere.v1", "data": "whatever"})).status_code == 202
    assert await orders.rows() == []


async def test_given_a_refusal_by_the_domain_then_that_is_the_answer_and_nothing_else_is_stored(
    orders: Orders,
) -> None:
    await orders.send({**EVENT, "data": {"order_id": "a", "amount": 1001}})

    (row,) = await orders.all_done()
    assert (row.error, row.attempts) == ("too-much", 1)
    assert (await orders.payments(), await orders.receipt()) == ([], 0)


async def test_given_a_service_that_is_down_then_the_event_waits_however_often_and_that_does_not_count(
    orders: Orders,
) -> None:
    orders.script.failures = [DOWN] * 5

    await orders.send(EVENT)

    (row,) = await orders.all_done()
    assert (len(orders.script.contexts), row.attempts, row.waits) == (6, 1, 5)
    assert (len(await orders.payments()), await orders.receipt()) == (1, 5)


async def test_given_a_service_that_asks_for_time_then_the_event_waits_so_long(orders: Orders) -> None:
    orders.script.failures = [Unavailable("busy", retry_after=100.0)]

    await orders.send(EVENT)

    (row,) = await orders.all_done(state=WorkState.WAITING)

    async def handed_back() -> bool:
        return [row.waits for row in await orders.rows()] == [1]  # none, while it goes from one state to the other

    await eventually(handed_back)
    (waiting,) = await orders.rows(WorkState.WAITING)
    assert waiting.due - row.due > timedelta(seconds=-1)
    assert waiting.error == "Unavailable"


async def test_given_a_handler_that_fails_twice_then_the_third_attempt_counts(orders: Orders) -> None:
    orders.script.failures = [ValueError("a"), KeyError("b")]

    await orders.send(EVENT)

    (row,) = await orders.all_done()
    assert (row.attempts, row.error) == (3, None)
    assert (len(await orders.payments()), await orders.receipt()) == (1, 5)


@pytest.mark.parametrize(
    "last", [ZeroDivisionError("c"), NotFoundError("order", "7")], ids=lambda error: type(error).__name__
)
async def test_given_a_handler_that_fails_always_then_its_event_is_parked_and_others_are_handled(
    orders: Orders, last: Exception
) -> None:
    orders.script.failures = [ValueError("a"), ValueError("b"), last]

    await orders.send(EVENT)
    (parked,) = await orders.all_done(state=WorkState.PARKED)
    await orders.send({**EVENT, "id": "2"})

    await orders.all_done()
    assert (parked.attempts, parked.error) == (3, type(last).__name__)
    assert await orders.receipt() == 5


async def test_given_a_handler_that_awaits_what_is_cancelled_then_it_has_failed_and_is_tried_again(
    orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    async def cancelled() -> None:
        tried.append(1)
        if len(tried) == 1:
            raise asyncio.CancelledError

    monkeypatch.setattr(orders.script, "pass_through", cancelled)

    await orders.send(EVENT)

    (row,) = await orders.all_done()
    assert row.attempts == 2


async def test_given_events_that_race_for_one_document_then_each_takes_effect_and_none_is_parked(
    orders: Orders,
) -> None:
    await orders.send([{**EVENT, "id": str(n)} for n in range(20)], BATCHED)

    await orders.all_done(20)
    assert (len(await orders.payments()), await orders.receipt()) == (20, 100)


async def test_given_many_events_then_eight_are_handled_at_the_same_time_and_all_in_the_end(orders: Orders) -> None:
    orders.script.release.clear()
    await orders.send(
        [{**EVENT, "id": str(n), "data": {"order_id": "a", "amount": 0}, "source": f"/{n}"} for n in range(20)], BATCHED
    )

    async def full() -> bool:
        return orders.script.inside == 8

    await eventually(full)
    orders.script.failures = [DOWN] * 3
    orders.script.release.set()

    async def settled() -> bool:
        return not await orders.rows(WorkState.RUNNING) and not await orders.rows(WorkState.WAITING)

    await eventually(settled)
    assert orders.script.most == 8


async def test_given_a_long_handler_then_nobody_takes_its_event_over(backing: Backing) -> None:
    script = Script()
    script.release.clear()
    async with orders_on(backing, script, lease_seconds=0.4) as orders:
        await orders.send(EVENT)
        await script.entered.wait()
        due = (await orders.rows(WorkState.RUNNING))[0].due

        async def renewed() -> bool:
            return (await orders.rows(WorkState.RUNNING))[0].due > due + timedelta(seconds=0.2)

        await eventually(renewed)
        script.release.set()
        (row,) = await orders.all_done()
    assert (row.attempts, len(script.contexts)) == (1, 1)


async def test_when_stopped_then_what_is_in_hand_is_finished_and_the_rest_waits_for_the_next_start(
    orders: Orders,
) -> None:
    orders.script.release.clear()
    await orders.send(EVENT)
    await orders.script.entered.wait()
    inbox = await orders.service.services.get(Inbox)

    stopping = asyncio.create_task(inbox.stop())
    await asyncio.sleep(0)
    await orders.send({**EVENT, "id": "2"})
    orders.script.release.set()
    await stopping

    assert len(await orders.rows(WorkState.DONE)) == len(await orders.rows(WorkState.WAITING)) == 1


async def test_when_stopped_while_a_handler_hangs_then_its_event_is_handed_back_and_does_not_count(
    orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neuroglia.core.lifecycle._STOP_S", 0.001)
    orders.script.release.clear()
    await orders.send(EVENT)
    await orders.script.entered.wait()
    inbox = await orders.service.services.get(Inbox)

    await inbox.stop()

    (row,) = await orders.rows(WorkState.WAITING)
    assert (row.attempts, row.owner) == (0, "")


async def test_given_processes_that_die_at_it_then_the_event_is_parked(orders: Orders) -> None:
    inbox = await orders.service.services.get(Inbox)
    await inbox.stop()
    await orders.send(EVENT)
    store = await orders.service.services.get(DocumentStore)
    for number in range(3):  # each claims it, and is never heard of again
        await WorkQueue(store, SystemClock(), queue="inbox", owner=str(number), seconds=0.0).claim()

    inbox._stopping.clear()
    await inbox.start()

    (row,) = await orders.all_done(state=WorkState.PARKED)
    assert (row.error, orders.script.contexts) == ("ProcessDied", [])


async def test_given_a_subscriber_then_it_sees_what_is_accepted_once(orders: Orders) -> None:
    seen: list[str] = []
    bus = await orders.service.services.get(CloudEventBus)
    bus.input.subscribe(lambda event: seen.append(event.get_id()))

    await orders.send([EVENT, {**EVENT, "id": "other", "type": "other"}], BATCHED)
    await orders.send(EVENT)
    await orders.send({**EVENT, "id": "last"})

    async def all_seen() -> bool:
        return "last" in seen

    await eventually(all_seen)
    assert seen == ["1", "other", "last"]


async def test_given_a_dead_loop_then_readiness_tells(orders: Orders, monkeypatch: pytest.MonkeyPatch) -> None:
    inbox = await orders.service.services.get(Inbox)

    async def broken(limit: int) -> None:
        raise KeyError("what nobody foresaw")

    monkeypatch.setattr(inbox._queue, "claim", broken)
    inbox.wake()

    async def unavailable() -> bool:
        return (await orders.service.client.get("/health/ready")).status_code == 503

    await eventually(unavailable)


async def test_given_a_document_store_that_is_down_when_claiming_then_it_goes_on_afterwards(
    orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = await orders.service.services.get(Inbox)
    claim: Callable[..., object] = inbox._queue.claim
    failures = [Unavailable("down"), Unavailable("down")]

    async def flaky(limit: int) -> object:
        if failures:
            raise failures.pop()
        return await claim(limit)  # type: ignore[misc]

    monkeypatch.setattr(inbox._queue, "claim", flaky)
    await orders.send(EVENT)

    await orders.all_done()
