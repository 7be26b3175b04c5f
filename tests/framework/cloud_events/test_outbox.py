"""The outbox: events are stored with the aggregate or not at all, and sent in the order of each subject."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from neuroglia.cloud_events import Outbox
from neuroglia.core import ConcurrencyError
from neuroglia.documents import Documents, Session, WorkState
from tests.framework.cloud_events.orders import Receipt, ShopLeft
from tests.framework.cloud_events.world import Orders, orders_on
from tests.support.engines import Backing
from tests.support.sink import Sink
from tests.support.waiting import eventually

pytestmark = pytest.mark.service


@pytest.fixture
async def orders(backing: Backing, outside: Sink) -> AsyncIterator[Orders]:
    async with orders_on(backing, cloud_events_sink=outside.url) as orders:
        yield orders


async def told(orders: Orders, subject: str, *numbers: int) -> None:
    """A receipt changes so often, and each time that is told."""
    for number in numbers:
        async with orders.service.services.create_scope() as scope:
            receipts = await scope.get(Documents[Receipt])
            receipt = await receipts.lookup(subject) or Receipt(id=subject, amount=0)
            receipt.amount = number
            await receipts.save(receipt)
            (await scope.get(Outbox)).add(ShopLeft(when=number), subject=subject, number=number)
            await (await scope.get(Session)).commit()


async def none_left(orders: Orders, *, but: WorkState | None = None) -> None:
    async def empty() -> bool:
        return not [row for row in await orders.rows(queue="outbox") if row.state is not but]

    await eventually(empty)


def numbers(events: list[dict[str, Any]], subject: str) -> list[int]:
    return list(dict.fromkeys(event["data"]["when"] for event in events if event["subject"] == subject))


def ids_stay(outside: Sink) -> None:
    """Each event was sent with one id, however often, and no two with the same one."""
    sent = {(event["id"], event["subject"], event["data"]["when"]) for event in outside.attempts}
    assert len({id for id, _, _ in sent}) == len({(subject, when) for _, subject, when in sent}) == len(sent)


async def test_given_a_commit_then_the_event_is_sent_and_gone(orders: Orders, outside: Sink) -> None:
    await told(orders, "a", 1)

    (event,) = await outside.has(1)
    assert (event["type"], event["source"], event["subject"]) == ("io.shop.left.v1", "/orders", "a")
    assert (event["data"], event["datacontenttype"]) == ({"when": 1}, "application/json")
    await none_left(orders)
    assert (len(outside.events), await orders.receipt()) == (1, 1)


async def test_given_no_commit_or_one_that_fails_then_nothing_is_sent(orders: Orders, outside: Sink) -> None:
    await told(orders, "a", 1)
    await none_left(orders)
    async with orders.service.services.create_scope() as scope:
        (await scope.get(Outbox)).add(ShopLeft(when=2), subject="a", number=2)
    async with orders.service.services.create_scope() as scope:
        receipts = await scope.get(Documents[Receipt])
        receipt = await receipts.get("a")
        await told(orders, "a", 3)  # somebody else is faster
        await receipts.save(receipt)
        (await scope.get(Outbox)).add(ShopLeft(when=4), subject="a", number=4)
        with pytest.raises(ConcurrencyError):
            await (await scope.get(Session)).commit()

    await none_left(orders)
    assert numbers(outside.events, "a") == [1, 3]


async def test_given_many_subjects_and_numbers_then_each_subject_is_told_in_order(
    orders: Orders, outside: Sink
) -> None:
    outside.refuses = [(503, {})] * 10
    for number in range(8):
        for subject in ("a", "b", "c"):
            await told(orders, subject, number)

    events = await outside.has(24)
    assert all(numbers(events, subject) == list(range(8)) for subject in ("a", "b", "c"))
    assert len(outside.attempts) >= 34
    ids_stay(outside)


async def test_given_several_events_of_one_change_then_they_are_told_as_they_were_added(
    orders: Orders, outside: Sink
) -> None:
    async with orders.service.services.create_scope() as scope:
        for when in range(12):
            (await scope.get(Outbox)).add(ShopLeft(when=when), subject="a", number=7)
        await (await scope.get(Session)).commit()

    assert numbers(await outside.has(12), "a") == list(range(12))


async def test_given_a_sink_that_is_down_then_all_comes_in_order_once_it_is_up(orders: Orders, outside: Sink) -> None:
    await outside.down()
    await told(orders, "a", 1, 2)

    async def waited() -> bool:
        return any(row.waits > 1 for row in await orders.rows(queue="outbox"))

    await eventually(waited)
    await told(orders, "a", 3)
    await outside.up()

    assert numbers(await outside.has(3), "a") == [1, 2, 3]
    ids_stay(outside)


async def test_given_a_sink_that_is_slow_then_subjects_do_not_wait_for_each_other(
    orders: Orders, outside: Sink
) -> None:
    outside.open.clear()
    for subject in "abcd":
        await told(orders, subject, 1, 2)

    async def all_at_once() -> bool:
        return outside.inside == 4

    await eventually(all_at_once)
    outside.open.set()
    events = await outside.has(8)
    assert all(numbers(events, subject) == [1, 2] for subject in "abcd")
    assert outside.most == 4


async def test_given_a_refusal_then_it_is_parked_with_what_follows_it_and_others_flow(
    orders: Orders, outside: Sink
) -> None:
    outside.refuses = [(422, {})] * 3
    await told(orders, "a", 1)
    (refused,) = await orders_parked(orders, 1)

    await told(orders, "a", 2, 3)
    await told(orders, "b", 1)

    assert numbers(await outside.has(1), "b") == [1]
    rows = await orders_parked(orders, 3)
    assert [(row.number, row.error, row.attempts) for row in rows] == [
        (1, "EventRefused", 3), (2, None, 0), (3, None, 0),
    ]  # fmt: skip
    assert refused.id == rows[0].id
    assert len(outside.attempts) == 4
    ids_stay(outside)
    assert numbers(outside.events, "a") == []


async def orders_parked(orders: Orders, count: int) -> list[Any]:
    async def parked() -> bool:
        return len(await orders.rows(WorkState.PARKED, "outbox")) == count

    await eventually(parked)
    return await orders.rows(WorkState.PARKED, "outbox")
