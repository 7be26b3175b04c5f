"""A process dies at any point of a command with a key: the next one, asked again, finds what was done."""

from contextlib import suppress
from datetime import timedelta

import pytest

from neuroglia.documents import DocumentStore
from neuroglia.event_sourcing import EventStore
from neuroglia.testing import Answer, Crashed, CrashPoints, RunningService
from tests.framework.idempotency.purses import CoinsPutIn, Purse, Stores, process
from tests.support.engines import Backing

pytestmark = pytest.mark.service

FIVE = CoinsPutIn(coins=5)
PURSE, BOX, NEW = "/api/v1/purses/a/coins", "/api/v1/purses/boxes/a", "/api/v1/purses"
LATE = timedelta(seconds=11)
"""Behind this, who had a command in hand counts as dead."""
PURSE_POINTS = [
    "before commit of idempotency", "after commit of idempotency",
    "before append to purse", "after append to purse",
    "before commit of idempotency", "after commit of idempotency",
]  # fmt: skip
BOX_POINTS = [
    "before commit of idempotency", "after commit of idempotency",
    "before commit of boxes, idempotency", "after commit of boxes, idempotency",
]  # fmt: skip


async def put_in(service: RunningService, path: str, key: str | None = "k") -> Answer:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await service.when("POST", path, json={"coins": 5}, headers=headers)


async def live_until(backing: Backing, stores: Stores, path: str, number: int | None) -> list[str]:
    """One life of the service, in which somebody puts in coins; it ends at a point of that. Returns those reached."""
    points = CrashPoints()
    commit, append = stores.documents.commit, stores.events.append
    async with process(backing, stores) as service:
        await service.given(Purse, "a", FIVE)
        (await put_in(service, BOX, key=None)).then(200, {"coins": 5})
        points.watch(await service.services.get(EventStore))
        points.watch(await service.services.get(DocumentStore))
        if number is not None:
            all_ = BOX_POINTS if path == BOX else PURSE_POINTS
            points.crash_at(all_[number], nth=all_[: number + 1].count(all_[number]))
        with suppress(Crashed):
            await put_in(service, path)
    stores.documents.commit, stores.events.append = commit, append  # type: ignore[method-assign]  # the next process
    return points.reached


@pytest.mark.parametrize(("path", "points"), [(PURSE, PURSE_POINTS), (NEW, PURSE_POINTS), (BOX, BOX_POINTS)])
async def test_these_are_all_points(backing: Backing, path: str, points: list[str]) -> None:
    assert await live_until(backing, Stores(), path, None) == points


@pytest.mark.parametrize("rivals", [0, 1])
@pytest.mark.parametrize("number", range(len(PURSE_POINTS)))
async def test_given_a_death_when_an_event_sourced_command_comes_again_then_there_is_one_effect(
    backing: Backing, number: int, rivals: int
) -> None:
    stores = Stores()
    assert await live_until(backing, stores, PURSE, number) == PURSE_POINTS[: number + 1]
    stores.clock.advance(LATE)

    async with process(backing, stores) as service:
        await service.given(Purse, "a", *[FIVE] * rivals)
        done = number >= PURSE_POINTS.index("after append to purse")
        first = {"coins": 10 if done else 10 + 5 * rivals}
        (await put_in(service, PURSE)).then(200, first, events=[] if done else [FIVE])
        (await put_in(service, PURSE)).then(200, first, events=[])
        (await put_in(service, PURSE, key=None)).then(200, {"coins": 15 + 5 * rivals})


@pytest.mark.parametrize("number", range(len(PURSE_POINTS)))
async def test_given_a_death_when_a_command_that_makes_something_comes_again_then_there_is_one_of_it(
    backing: Backing, number: int
) -> None:
    stores = Stores()
    assert await live_until(backing, stores, NEW, number) == PURSE_POINTS[: number + 1]
    stores.clock.advance(LATE)

    async with process(backing, stores) as service:
        events = await service.services.get(EventStore)
        done = number >= PURSE_POINTS.index("after append to purse")
        first = await put_in(service, NEW)
        first.then(201, events=[] if done else [FIVE])
        again = await put_in(service, NEW)
        again.then(201, events=[])
        assert again.body == first.body
        assert again.response.headers["location"] == first.response.headers["location"]
        made = {event.stream for event in (await events.read_all(prefixes=["purse-"])).events} - {"purse-a"}
        assert len(made) == 1


@pytest.mark.parametrize("rivals", [0, 1])
@pytest.mark.parametrize("number", range(len(BOX_POINTS)))
async def test_given_a_death_when_a_command_on_documents_comes_again_then_there_is_one_effect(
    backing: Backing, number: int, rivals: int
) -> None:
    """Its answer is in the transaction of what it has changed."""
    stores = Stores()
    assert await live_until(backing, stores, BOX, number) == BOX_POINTS[: number + 1]
    stores.clock.advance(LATE)

    async with process(backing, stores) as service:
        for _ in range(rivals):
            await put_in(service, BOX, key=None)
        done = number == len(BOX_POINTS) - 1
        first = {"coins": 10 if done else 10 + 5 * rivals}
        for _ in range(2):
            (await put_in(service, BOX)).then(200, first)
        (await put_in(service, BOX, key=None)).then(200, {"coins": 15 + 5 * rivals})
