"""Publication: at least once, in the order of each subject, with ids that stay, however the sink behaves."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_structured_event

from neuroglia.cloud_events import CloudEventBus
from neuroglia.cloud_events.publications import CloudEventPublisher
from neuroglia.core import Clock
from neuroglia.event_sourcing import Subscriptions, SubscriptionState
from neuroglia.event_sourcing.subscriptions import patience, reaction_runner
from neuroglia.testing import FixedClock, in_memory, running
from tests.framework.cloud_events.orders import Noted, Order, Paid, Script
from tests.framework.cloud_events.world import EVENT, Orders, orders_builder, orders_on
from tests.framework.event_sourcing.world import parked_items
from tests.support.engines import IN_MEMORY, Backing
from tests.support.sink import Sink
from tests.support.waiting import eventually

pytestmark = pytest.mark.service

NOTHING: dict[str, str] = {}


@pytest.fixture
async def orders(backing: Backing, outside: Sink) -> AsyncIterator[Orders]:
    async with orders_on(backing, cloud_events_sink=outside.url) as orders:
        yield orders


async def happened(orders: Orders, id: str, *amounts: int) -> None:
    """Payments of an order, without waiting for whoever follows them."""
    await orders.service.happened(Order, id, *(Paid(amount=amount, by="ada") for amount in amounts))


def amounts(events: list[dict[str, Any]], id: str = "a") -> list[int]:
    """What was told of an order, in order, repetitions left out."""
    told = [event["data"]["amount"] for event in events if event["subject"] == id]
    return list(dict.fromkeys(told))


async def ids_stay(orders: Orders, attempts: list[dict[str, Any]], id: str = "a") -> None:
    """However often an event of an order was sent, it had the id that it is stored with."""
    stored = {paid.id: json.loads(paid.data)["amount"] for paid in await orders.payments(id)}
    sent = {(event["id"], event["data"]["amount"]) for event in attempts if event["subject"] == id}
    assert sent == set(stored.items())


async def state_is(orders: Orders, state: SubscriptionState) -> None:
    runner = (await orders.service.services.get(Subscriptions)).runners[CloudEventPublisher]

    async def reached() -> bool:
        return runner.status.state is state

    await eventually(reached)


async def test_given_a_mapped_event_then_the_sink_gets_what_the_mapping_says(orders: Orders, outside: Sink) -> None:
    await orders.send({**EVENT, "correlationid": "c-1", "traceparent": f"00-{'a' * 32}-{'b' * 16}-01"})

    (told,) = await outside.has(1)
    (paid,) = await orders.payments()
    assert told == {
        "specversion": "1.0",
        "id": paid.id,
        "source": "/orders",
        "type": "io.orders.paid.v1",
        "subject": "a",
        "time": paid.recorded_at.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "correlationid": "c-1",
        "traceparent": f"00-{'a' * 32}-{'b' * 16}-01",
        "data": {"order_id": "a", "amount": 5},
    }
    assert outside.media_types == {"application/cloudevents+json"}


async def test_given_an_event_that_is_not_mapped_then_it_stays_inside(orders: Orders, outside: Sink) -> None:
    await orders.service.given(Order, "b", Noted(note="private"), Paid(amount=1, by="ada"))

    (told,) = await outside.has(1)
    assert told["type"] == "io.orders.paid.v1"
    assert "ada" not in str(told)


async def test_given_several_streams_then_each_is_told_in_its_order(orders: Orders, outside: Sink) -> None:
    await asyncio.gather(*(happened(orders, str(n), *range(20)) for n in range(5)))

    events = await outside.has(100)
    assert all(amounts(events, str(n)) == list(range(20)) for n in range(5))


@pytest.mark.parametrize("status", [500, 502, 503, 429, 408, 404, 401, 403, 301, 302, 418])
async def test_given_an_answer_that_may_change_then_the_event_waits_and_nothing_is_lost(
    orders: Orders, outside: Sink, status: int
) -> None:
    outside.refuses = [(status, {"location": "http://127.0.0.1:9/elsewhere"})] * 6

    await happened(orders, "a", 1, 2, 3)

    events = await outside.has(3)
    assert [event["data"]["amount"] for event in events] == [1, 2, 3]
    assert len(outside.attempts) == 9
    await ids_stay(orders, outside.attempts)


@pytest.mark.parametrize("status", [400, 413, 415, 422])
async def test_given_a_refusal_of_one_event_then_its_sequence_is_parked_and_others_flow(
    orders: Orders, outside: Sink, status: int
) -> None:
    outside.refuses = [(status, NOTHING)] * 4
    await happened(orders, "a", 1)
    runner = (await orders.service.services.get(Subscriptions)).runners[CloudEventPublisher]

    async def parked() -> bool:
        return runner.status.parked == 1

    await eventually(parked)
    await happened(orders, "a", 2)
    await happened(orders, "b", 3)

    assert amounts(await outside.has(1), "b") == [3]
    await orders.service.settle()
    assert amounts(outside.events) == []
    assert [item.error for item in await parked_items(runner)] == ["EventRefused", None]
    await runner.replay()
    assert amounts(await outside.has(3)) == [1, 2]
    assert len(outside.attempts) > 3
    await ids_stay(orders, outside.attempts)


async def test_given_a_sink_that_is_down_then_all_comes_in_order_once_it_is_up(orders: Orders, outside: Sink) -> None:
    await outside.down()
    await happened(orders, "a", 1, 2)
    await state_is(orders, SubscriptionState.RETRYING)
    await happened(orders, "a", 3)
    await outside.up()

    assert amounts(await outside.has(3)) == [1, 2, 3]
    await ids_stay(orders, outside.attempts)
    await state_is(orders, SubscriptionState.LIVE)


async def test_given_a_sink_that_is_slow_then_no_more_are_under_way_than_there_are_workers(
    orders: Orders, outside: Sink
) -> None:
    outside.open.clear()
    await asyncio.gather(*(happened(orders, str(n), 1) for n in range(40)))

    async def full() -> bool:
        return outside.inside == CloudEventPublisher.workers

    await eventually(full)
    outside.open.set()

    await outside.has(40)
    assert outside.most == CloudEventPublisher.workers == 16


async def test_given_a_sink_that_is_down_then_only_so_many_events_are_in_hand(
    orders: Orders, outside: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = (await orders.service.services.get(Subscriptions)).runners[CloudEventPublisher]
    assert isinstance(runner, reaction_runner.ReactionRunner)
    await outside.down()

    await happened(orders, "a", *range(1_000))

    def in_hand() -> int:
        return 0 if runner._lanes is None else sum(map(len, runner._lanes._lanes.values()))

    async def taken() -> bool:
        return in_hand() == reaction_runner._IN_HAND

    await eventually(taken)
    await state_is(orders, SubscriptionState.RETRYING)
    assert in_hand() <= reaction_runner._IN_HAND
    await outside.up()
    assert amounts(await outside.has(1_000, 60)) == list(range(1_000))


async def test_given_a_sink_that_hangs_then_it_is_given_up_and_tried_again(
    backing: Backing, outside: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neuroglia.cloud_events.sink._TIMEOUT_S", 0.1)
    outside.open.clear()
    async with orders_on(backing, cloud_events_sink=outside.url) as orders:
        await happened(orders, "a", 1)
        await state_is(orders, SubscriptionState.RETRYING)
        outside.open.set()

        await outside.has(2)  # what it was given up with came late, and once more
        await ids_stay(orders, outside.attempts)


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\x00\xff" * 100,
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nbroken\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nshort",
        b"HTTP/1.1 99 Odd\r\n\r\n",
    ],
)
async def test_given_garbage_for_an_answer_then_the_event_is_sent_again(
    backing: Backing, outside: Sink, garbage: bytes
) -> None:
    came: list[dict[str, Any]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        (length,) = re.findall(rb"content-length: (\d+)", head.lower())
        came.append(json.loads(await reader.readexactly(int(length))))
        writer.write(garbage)
        await writer.drain()
        writer.close()

    port = outside.port
    await outside.down()
    server = await asyncio.start_server(answer, "127.0.0.1", port)
    async with orders_on(backing, cloud_events_sink=outside.url) as orders:
        await happened(orders, "a", 1)

        async def came_twice() -> bool:
            return len(came) >= 2

        await eventually(came_twice)
        server.close()
        await server.wait_closed()
        await outside.up()

        assert amounts(await outside.has(1)) == [1]
        await ids_stay(orders, [*came, *outside.attempts])


async def test_given_an_answer_without_end_then_it_is_not_read_to_its_end(backing: Backing, outside: Sink) -> None:
    sent, gone = 0, asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        with suppress(ConnectionError):
            while sent < 2**30:
                writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
                await writer.drain()
                sent += 0x10000
        gone.set()
        writer.close()

    port = outside.port
    await outside.down()
    async with (
        await asyncio.start_server(answer, "127.0.0.1", port),
        orders_on(backing, cloud_events_sink=outside.url) as orders,
    ):
        await happened(orders, "a", 1)
        await orders.service.settle()
        async with asyncio.timeout(15):
            await gone.wait()

    assert sent < 2**26  # what the sockets hold, and no more


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("999999999999", 300.0),
        ("-5", 0.0),
        ("1.5", 0.0),
        ("soon", 0.0),
        ("", 0.0),
        (format_datetime(datetime(2025, 1, 31, 9, 31, tzinfo=UTC), usegmt=True), 60.0),
        (format_datetime(datetime(2024, 1, 1, tzinfo=UTC), usegmt=True), 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 300.0),
    ],
)
async def test_given_retry_after_then_it_is_waited_so_long_at_least(
    backing: Backing, outside: Sink, monkeypatch: pytest.MonkeyPatch, header: str, seconds: float
) -> None:  # RFC 9110, section 10.2.3
    pauses: list[float] = []
    real = asyncio.timeout

    def watched(delay: float | None) -> asyncio.Timeout:
        if delay is not None:
            pauses.append(delay)
        return real(min(delay, 0.01) if delay is not None and delay >= 20 else delay)

    outside.refuses = [(429, {"retry-after": header})]
    builder = orders_builder(backing, Script(), cloud_events_sink=outside.url)
    builder.services.add_instance(Clock, FixedClock())
    app = (in_memory(builder) if backing == IN_MEMORY else builder).build()
    async with running(app) as service:
        monkeypatch.setattr(patience.asyncio, "timeout", watched)
        await happened(Orders(service, Script()), "a", 1)
        await outside.has(1)
        monkeypatch.setattr(patience.asyncio, "timeout", real)
    waited = [pause for pause in pauses if pause >= 20]
    assert waited == ([seconds] if seconds >= 20 else [])


async def test_given_no_sink_then_events_are_logged_without_their_data_and_shown(
    backing: Backing, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []
    with caplog.at_level(logging.INFO, "neuroglia.cloud_events"):
        async with orders_on(backing) as orders:
            bus = await orders.service.services.get(CloudEventBus)
            bus.output.subscribe(lambda event: seen.append(event.get_subject() or ""))
            await happened(orders, "a", 771_237_712_377_123)
            await orders.service.settle()

            async def shown() -> bool:
                return seen == ["a"]

            await eventually(shown)
    (record,) = [record for record in caplog.records if record.name == "neuroglia.cloud_events"]
    assert (record.__dict__["type"], record.__dict__["subject"]) == ("io.orders.paid.v1", "a")
    assert len(record.__dict__["id"]) == 36
    assert "771237712377123" not in str(record.__dict__)


async def test_what_is_sent_is_what_the_sdk_reads(orders: Orders, outside: Sink) -> None:
    await happened(orders, "ä b", 1)
    (told,) = await outside.has(1)
    read = from_structured_event(HTTPMessage({}, json.dumps(told).encode()))
    assert (read.get_subject(), read.get_data()) == ("ä b", {"order_id": "ä b", "amount": 1})
    assert read.get_time() is not None
    assert datetime.now(UTC) - read.get_time() < timedelta(minutes=1)
