"""A lease belongs to one owner at a time, until it runs out or is given back."""

import asyncio
from datetime import timedelta

import pytest

from neuroglia.documents import DocumentStore, DocumentType, Lease
from neuroglia.documents.leases import LeaseRow
from neuroglia.testing import FixedClock


@pytest.fixture
async def store(any_store: DocumentStore) -> DocumentStore:
    await any_store.prepare([DocumentType(LeaseRow)])
    return any_store


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


def lease(store: DocumentStore, clock: FixedClock, owner: str, name: str = "work") -> Lease:
    return Lease(store, clock, name=name, owner=owner, seconds=10)


async def test_given_a_free_lease_when_many_claim_it_then_one_has_it(store: DocumentStore, clock: FixedClock) -> None:
    claims = [lease(store, clock, f"owner {number}") for number in range(8)]

    assert sorted(await asyncio.gather(*(claim.claim() for claim in claims))) == [False] * 7 + [True]


async def test_given_an_owner_when_it_renews_then_others_wait_on(store: DocumentStore, clock: FixedClock) -> None:
    ours, theirs = lease(store, clock, "us"), lease(store, clock, "them")
    assert await ours.claim()
    clock.advance(timedelta(seconds=9))
    assert await ours.claim()
    clock.advance(timedelta(seconds=9))

    assert not await theirs.claim()


async def test_given_a_lease_that_ran_out_when_another_claims_it_then_the_old_owner_has_lost_it(
    store: DocumentStore, clock: FixedClock
) -> None:
    ours, theirs = lease(store, clock, "us"), lease(store, clock, "them")
    assert await ours.claim()
    clock.advance(timedelta(seconds=10))

    assert await theirs.claim()
    assert not await ours.claim()


async def test_given_a_lease_that_is_given_back_then_others_have_it_at_once(
    store: DocumentStore, clock: FixedClock
) -> None:
    ours, theirs = lease(store, clock, "us"), lease(store, clock, "them")
    assert await ours.claim()
    await theirs.release()  # it is not theirs to give
    assert not await theirs.claim()

    await ours.release()

    assert await theirs.claim()


async def test_given_two_names_then_they_are_two_leases(store: DocumentStore, clock: FixedClock) -> None:
    assert await lease(store, clock, "us", "one").claim()
    assert await lease(store, clock, "them", "other").claim()


async def test_given_an_owner_that_died_when_taken_over_then_the_next_one_knows(
    store: DocumentStore, clock: FixedClock
) -> None:
    ours, theirs = lease(store, clock, "us"), lease(store, clock, "them")
    await ours.claim()
    assert not ours.taken_over

    clock.advance(timedelta(seconds=11))

    assert await theirs.claim()
    assert theirs.taken_over


async def test_given_an_owner_that_gave_it_back_when_claimed_then_nobody_died(
    store: DocumentStore, clock: FixedClock
) -> None:
    ours, theirs = lease(store, clock, "us"), lease(store, clock, "them")
    await ours.claim()
    await ours.release()

    assert await theirs.claim()
    assert not theirs.taken_over
