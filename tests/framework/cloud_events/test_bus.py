"""The bus: everybody may look, nobody can hold anything up."""

import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from reactivex import operators as ops

from neuroglia.cloud_events import CloudEventBus, bus as bus_module
from tests.framework.cloud_events.orders import Order, Paid, ShopLeft
from tests.framework.cloud_events.world import Orders, orders_on
from tests.support.engines import IN_MEMORY
from tests.support.sink import Sink, sink
from tests.support.waiting import eventually

pytestmark = pytest.mark.service


@pytest.fixture
async def outside() -> AsyncIterator[Sink]:
    async with sink() as outside:
        yield outside


@pytest.fixture
async def orders(outside: Sink) -> AsyncIterator[Orders]:
    """In memory: the bus knows nothing of engines."""
    async with orders_on(IN_MEMORY, cloud_events_sink=outside.url) as orders:
        yield orders


@pytest.fixture
async def bus(orders: Orders) -> CloudEventBus:
    return await orders.service.services.get(CloudEventBus)


async def soon(condition: Callable[[], bool]) -> None:
    async def met() -> bool:
        return condition()

    await eventually(met)


def threads() -> int:
    return sum(thread.name == "cloud-event-observer" for thread in threading.enumerate())


async def test_given_an_observer_that_throws_then_it_is_out_and_the_others_and_the_sink_get_all(
    orders: Orders, bus: CloudEventBus, outside: Sink
) -> None:
    seen: list[Any] = []
    before = threads()
    bus.output.subscribe(lambda _: 1 / 0)
    bus.output.pipe(ops.map(lambda event: event.get_data()["nothing"])).subscribe(seen.append)
    bus.output.subscribe(seen.append)
    assert threads() == before + 3

    await orders.service.given(Order, "a", *(Paid(amount=n, by="ada") for n in range(3)))

    assert [event["data"]["amount"] for event in await outside.has(3)] == [0, 1, 2]
    await soon(lambda: len(seen) == 3)
    await soon(lambda: threads() == before + 1)


async def test_given_an_observer_that_blocks_then_delivery_goes_on_and_what_passes_it_is_counted(
    orders: Orders, bus: CloudEventBus, outside: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "_UNSEEN", 5)
    seen: list[int] = []
    entered, release = threading.Event(), threading.Event()

    def block(event: Any) -> None:
        seen.append(event.get_data()["amount"])
        entered.set()
        release.wait()

    bus.output.subscribe(block)
    await orders.service.given(Order, "a", Paid(amount=0, by="ada"))
    await soon(entered.is_set)

    await orders.service.given(Order, "a", *(Paid(amount=n, by="ada") for n in range(1, 21)))

    assert len(await outside.has(21)) == 21
    await soon(lambda: bus.output.missed == 15)
    release.set()
    await soon(lambda: seen == [0, 16, 17, 18, 19, 20])  # the oldest have passed it by


async def test_given_an_observer_that_never_ends_when_stopped_then_the_service_stops_all_the_same(
    outside: Sink,
) -> None:
    never = threading.Event()
    async with orders_on(IN_MEMORY, cloud_events_sink=outside.url) as orders:
        (await orders.service.services.get(CloudEventBus)).output.subscribe(lambda _: never.wait())
        await orders.service.given(Order, "a", Paid(amount=1, by="ada"))
        await outside.has(1)
    never.set()


async def test_given_observers_when_stopped_then_each_is_told_that_nothing_more_comes(outside: Sink) -> None:
    ended = threading.Event()
    before = threads()
    async with orders_on(IN_MEMORY, cloud_events_sink=outside.url) as orders:
        bus = await orders.service.services.get(CloudEventBus)
        bus.input.subscribe(on_completed=ended.set)
        bus.output.subscribe(lambda _: None)
    await soon(ended.is_set)
    await soon(lambda: threads() <= before)


async def test_given_an_observer_that_leaves_then_its_thread_ends(bus: CloudEventBus) -> None:
    before = threads()
    subscription = bus.output.subscribe(lambda _: None)
    bus.output.pipe(ops.take(1)).subscribe(lambda _: None)
    assert threads() == before + 2

    subscription.dispose()
    bus.publish(ShopLeft(when=1))

    await soon(lambda: threads() == before)


async def test_when_published_from_any_thread_then_it_is_shown_and_sent_once(bus: CloudEventBus, outside: Sink) -> None:
    seen: list[Any] = []
    bus.output.subscribe(seen.append)
    workers = [
        threading.Thread(target=bus.publish, args=[ShopLeft(when=n)], kwargs={"subject": "shop"}) for n in range(20)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    events = await outside.has(20)
    await soon(lambda: len(seen) == 20)
    assert sorted(event["data"]["when"] for event in events) == list(range(20))
    assert len({event["id"] for event in events}) == 20
    assert {(event["type"], event["source"], event["subject"]) for event in events} == {
        ("io.shop.left.v1", "/orders", "shop")
    }


async def test_when_an_observer_publishes_then_that_is_seen_too(bus: CloudEventBus, outside: Sink) -> None:
    bus.output.subscribe(
        lambda event: bus.publish(ShopLeft(when=event.get_data()["when"] + 1)) if event.get_data()["when"] < 3 else None
    )

    bus.publish(ShopLeft(when=0))

    assert [event["data"]["when"] for event in await outside.has(4)] == [0, 1, 2, 3]


@pytest.mark.parametrize("status", [500, 400, 429])
async def test_given_a_sink_that_does_not_take_it_then_a_transient_event_is_lost_and_the_next_is_sent(
    bus: CloudEventBus, outside: Sink, status: int
) -> None:
    outside.refuses = [(status, {})]
    bus.publish(ShopLeft(when=1))
    bus.publish(ShopLeft(when=2))

    assert [event["data"]["when"] for event in await outside.has(1)] == [2]
    assert len(outside.attempts) == 2


async def test_given_a_sink_that_is_slow_then_the_oldest_transient_events_make_room_and_are_counted(
    orders: Orders, outside: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_module, "_UNSEEN", 3)
    async with orders_on(IN_MEMORY, cloud_events_sink=outside.url) as other:
        bus = await other.service.services.get(CloudEventBus)
        outside.open.clear()
        bus.publish(ShopLeft(when=0))
        await soon(lambda: outside.inside == 1)
        for n in range(1, 11):
            bus.publish(ShopLeft(when=n))
        assert bus.transient.missed == 7
        outside.open.set()

        assert [event["data"]["when"] for event in await outside.has(4)] == [0, 8, 9, 10]
