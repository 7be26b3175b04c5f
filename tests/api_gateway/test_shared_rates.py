"""Rate limits that replicas share."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from api_gateway.integration.models.rate_windows import RateWindow
from api_gateway.integration.repositories.shared_windows import SharedWindows
from neuroglia.core import TooManyRequests
from neuroglia.documents import DocumentStore, DocumentType, Find, Session
from neuroglia.documents.adapters.sqlite import SqliteDocumentStore
from neuroglia.security.api_keys import RateLimits
from neuroglia.testing import FixedClock, InMemoryDocumentStore

KIND = DocumentType(RateWindow)


def replica(store: DocumentStore, clock: FixedClock) -> RateLimits:
    return RateLimits(SharedWindows(KIND, store, clock), clock)


async def in_memory() -> DocumentStore:
    store = InMemoryDocumentStore()
    await store.open()
    await store.prepare([KIND])
    return store


async def rows(store: DocumentStore) -> list[RateWindow]:
    return [*await Session(store).find(KIND, Find([], [], descending=False, limit=1000))]


async def takes(limits: RateLimits, limit: str, who: str = "k") -> bool:
    try:
        await limits.take(limit, who)
    except TooManyRequests:
        return False
    return True


async def test_three_replicas_let_a_caller_through_as_often_as_one_does(tmp_path: Path) -> None:
    clock, stores = FixedClock(), [SqliteDocumentStore(str(tmp_path / "shared.db")) for _ in range(3)]
    for store in stores:
        await store.open()
    await stores[0].prepare([KIND])
    replicas = [replica(store, clock) for store in stores]

    answers = await asyncio.gather(*[takes(replicas[n % 3], "20/minute") for n in range(60)])

    assert sum(answers) == 20
    clock.advance(timedelta(minutes=1))
    assert [await takes(one, "2/minute") for one in replicas] == [True, True, False]
    for store in stores:
        await store.aclose()


@given(
    limit=st.integers(1, 80),
    seconds=st.integers(1, 9),
    steps=st.lists(st.integers(0, 400_000), max_size=150),
)
async def test_no_window_wherever_it_lies_holds_more_than_the_limit(limit: int, seconds: int, steps: list[int]) -> None:
    clock, store = FixedClock(), await in_memory()
    replicas = [replica(store, clock), replica(store, clock)]
    passed: list[float] = []
    for number, step in enumerate(steps):
        clock.advance(timedelta(microseconds=step))
        now = clock.now().timestamp()
        recent = [moment for moment in passed if moment > now - seconds]
        if await takes(replicas[number % 2], f"{limit} per {seconds} seconds"):
            passed.append(now)
            assert len(recent) < limit
        elif limit <= 60:
            assert len(recent) == limit
    for window in await rows(store):
        assert len(window.used) <= 121


async def test_who_waits_as_long_as_they_were_told_gets_through() -> None:
    clock, store = FixedClock(), await in_memory()
    limits = replica(store, clock)
    for _ in range(200):
        await limits.take("200/minute", "k")
        clock.advance(timedelta(milliseconds=100))

    with pytest.raises(TooManyRequests) as late:
        await limits.take("200/minute", "k")
    clock.advance(timedelta(seconds=late.value.retry_after))
    await limits.take("200/minute", "k")


async def test_clocks_that_are_a_little_apart_share_a_limit_and_one_that_was_set_back_locks_nobody_out() -> None:
    ahead, store = FixedClock(), await in_memory()
    behind = FixedClock(ahead.now() - timedelta(seconds=2))
    long_ago = FixedClock(ahead.now() - timedelta(hours=1))
    await replica(store, ahead).take("1/minute", "k")

    assert not await takes(replica(store, behind), "1/minute")
    assert await takes(replica(store, long_ago), "1/minute")


async def test_windows_that_are_over_are_removed() -> None:
    clock, store = FixedClock(), await in_memory()
    limits = replica(store, clock)
    for number in range(50):
        await limits.take("3/minute", f"k{number}")
    clock.advance(timedelta(hours=1))

    for number in range(6):
        await limits.take("3/minute", f"new{number}")

    assert len(await rows(store)) == 6
