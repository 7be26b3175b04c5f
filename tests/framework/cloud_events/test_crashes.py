"""Deaths: whatever a process was at when it died, the next one ends it, once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from neuroglia.documents import DocumentStore
from neuroglia.event_sourcing import EventStore
from neuroglia.testing import Crashed, CrashPoints
from tests.framework.cloud_events.test_outbox import none_left, numbers, told
from tests.framework.cloud_events.test_publication import amounts, happened
from tests.framework.cloud_events.world import EVENT, orders_on
from tests.support.engines import DURABLE, Backing, Engine, engine_called
from tests.support.sink import Sink, sink
from tests.support.waiting import eventually

pytestmark = pytest.mark.service


@pytest.fixture(scope="module", params=DURABLE)
def engine(request: pytest.FixtureRequest) -> Engine:
    """Those that outlive a process."""
    return engine_called(request.param, request)


@pytest.fixture
async def outside() -> AsyncIterator[Sink]:
    async with sink() as outside:
        yield outside


async def test_given_a_restart_when_an_event_comes_again_then_it_has_taken_effect_once(backing: Backing) -> None:
    for first in (True, False):
        async with orders_on(backing, begin=first) as orders:
            assert (await orders.send(EVENT)).status_code == 202
            await orders.all_done()

    async with orders_on(backing, begin=False) as orders:
        assert (len(await orders.payments()), await orders.receipt()) == (1, 5)


@pytest.mark.parametrize(
    ("what", "nth"),
    [
        ("commit of work_items", 1), ("commit of work_items", 2), ("append to order", 1),
        ("commit of receipts, work_items", 1),
    ],
    ids=["noted", "claimed", "effect", "done"],
)  # fmt: skip
@pytest.mark.parametrize("when", ["before", "after"])
async def test_given_a_death_at_any_write_of_the_inbox_then_the_event_takes_effect_once_after_all(
    backing: Backing, when: str, what: str, nth: int
) -> None:
    points = CrashPoints()
    with suppress(Crashed, BaseExceptionGroup, TimeoutError):
        async with orders_on(backing, lease_seconds=0.1) as orders, asyncio.timeout(2):
            points.watch(await orders.service.services.get(EventStore))
            points.watch(await orders.service.services.get(DocumentStore))
            points.crash_at(f"{when} {what}", nth=nth)
            await orders.send(EVENT)
            await asyncio.Event().wait()
    assert points.crashed

    async with orders_on(backing, begin=False, lease_seconds=0.1) as orders:
        await orders.send(EVENT)  # whoever was not answered sends it again
        await orders.all_done()
        assert (len(await orders.payments()), await orders.receipt()) == (1, 5)


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("when", ["before", "after"])
async def test_given_a_death_at_any_write_of_the_outbox_then_the_event_arrives_with_the_id_that_it_had(
    backing: Backing, outside: Sink, when: str, nth: int
) -> None:
    points = CrashPoints()
    with suppress(Crashed, BaseExceptionGroup):
        async with orders_on(backing, cloud_events_sink=outside.url, lease_seconds=0.1) as orders:
            await told(orders, "a", 1)
            await outside.has(1)
            await none_left(orders)
            await told(orders, "a", 2)
            points.crash_at(f"{when} commit of work_items", nth=nth)
            points.watch(await orders.service.services.get(DocumentStore))

            async def dead() -> bool:
                return points.crashed

            await eventually(dead)
            raise Crashed

    async with orders_on(backing, cloud_events_sink=outside.url, begin=False, lease_seconds=0.1) as orders:
        await none_left(orders)
    assert numbers(outside.events, "a") == [1, 2]
    assert len({event["id"] for event in outside.events}) == 2


@pytest.mark.parametrize("point", ["before commit of checkpoints", "after commit of checkpoints"])
async def test_given_a_death_around_the_checkpoint_then_nothing_is_lost_and_ids_stay(
    backing: Backing, outside: Sink, point: str
) -> None:
    points = CrashPoints()
    async with orders_on(backing, cloud_events_sink=outside.url, lease_seconds=0.1) as orders:
        await orders.service.settle()
        points.watch(await orders.service.services.get(DocumentStore))
        points.crash_at(point)
        await happened(orders, "a", 1, 2, 3)

        async def dead() -> bool:
            return points.crashed

        await eventually(dead)
        ids = [event.id for event in await orders.payments()]

    async with orders_on(backing, cloud_events_sink=outside.url, begin=False, lease_seconds=0.1) as orders:
        await orders.service.settle()
        assert amounts(outside.events) == [1, 2, 3]
        assert list(dict.fromkeys(event["id"] for event in outside.events)) == ids
