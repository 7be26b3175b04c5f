"""Work items: claimed by one, finished once, taken over from the dead, by compare-and-set."""

import asyncio
from datetime import timedelta

import pytest

from neuroglia.core import ConcurrencyError
from neuroglia.documents import DocumentStore, DocumentType, Session, WorkItem, WorkItems, WorkQueue, WorkState
from neuroglia.testing import FixedClock
from tests.framework.documents.models import THINGS, Thing

pytestmark = pytest.mark.service

ITEMS = DocumentType(WorkItem)


class Office:
    """A store with work in it, and those who do it."""

    def __init__(self, store: DocumentStore) -> None:
        self.store = store
        self.clock = FixedClock()

    def worker(self, name: str, queue: str = "letters") -> WorkQueue:
        return WorkQueue(self.store, self.clock, queue=queue, owner=name, seconds=10)

    async def add(self, *ids: str, queue: str = "letters", after_s: int = 0) -> None:
        session = Session(self.store)
        for id_ in ids:
            due = self.clock.now() + timedelta(seconds=after_s)
            session.save(ITEMS, WorkItem(id=id_, queue=queue, due=due, body={"to": id_}))
        await session.commit()

    async def item(self, id: str) -> WorkItem | None:
        return await Session(self.store).get(ITEMS, id)

    def later(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))


@pytest.fixture
async def office(any_store: DocumentStore) -> Office:
    await any_store.prepare([ITEMS, THINGS])
    return Office(any_store)


async def test_given_work_that_is_due_when_claiming_then_the_longest_due_come_first_up_to_the_limit(
    office: Office,
) -> None:
    await office.add("second")
    await office.add("first", after_s=-5)
    await office.add("not yet", after_s=5)
    await office.add("of others", queue="parcels")

    claimed = await office.worker("ann").claim(limit=10)

    assert [(item.id, item.attempts, item.body) for item in claimed] == [
        ("first", 1, {"to": "first"}), ("second", 1, {"to": "second"})
    ]  # fmt: skip
    stored = await office.item("first")
    assert stored is not None
    assert (stored.state, stored.owner, stored.attempts) == (WorkState.RUNNING, "ann", 1)
    assert await office.worker("bob").claim() == []
    office.later(5)
    assert [item.id for item in await office.worker("bob").claim()] == ["not yet"]


async def test_given_many_workers_when_all_claim_at_once_then_each_item_has_one_owner(office: Office) -> None:
    await office.add(*map(str, range(20)))

    claims = await asyncio.gather(*(office.worker(f"w{number}").claim(limit=7) for number in range(8)))

    ids = [item.id for claim in claims for item in claim]
    assert len(ids) == len(set(ids))
    assert len(ids) >= 7


async def test_given_work_that_is_finished_then_what_it_wrote_and_its_end_are_one_transaction(office: Office) -> None:
    await office.add("a")
    ann = office.worker("ann")
    (item,) = await ann.claim()
    session = Session(office.store)
    session.save(THINGS, Thing(id="answer"))

    await ann.finish(item, session)
    assert await office.item("a") is not None
    await session.commit()

    assert await office.item("a") is None
    assert await Session(office.store).get(THINGS, "answer") is not None


async def test_given_a_dead_owner_when_its_time_is_over_then_another_takes_over_and_the_dead_one_writes_nothing(
    office: Office,
) -> None:
    await office.add("a")
    ann, bob = office.worker("ann"), office.worker("bob")
    (of_ann,) = await ann.claim()
    assert await bob.claim() == []

    office.later(11)
    (of_bob,) = await bob.claim()
    assert of_bob.attempts == 2

    session = Session(office.store)
    session.save(THINGS, Thing(id="too late"))
    for attempt in (
        lambda: ann.finish(of_ann, session),
        lambda: ann.renew(of_ann),
        lambda: ann.hand_back(of_ann, due=office.clock.now()),
        lambda: ann.park(of_ann, "TooLate"),
    ):
        with pytest.raises(ConcurrencyError):
            await attempt()
    await bob.finish(of_bob, session_of_bob := Session(office.store))
    await session_of_bob.commit()
    assert await office.item("a") is None


async def test_given_a_finish_that_is_staged_when_another_takes_over_before_the_commit_then_nothing_is_written(
    office: Office,
) -> None:
    await office.add("a")
    ann = office.worker("ann")
    (item,) = await ann.claim()
    session = Session(office.store)
    session.save(THINGS, Thing(id="answer"))
    await ann.finish(item, session)
    office.later(11)
    assert len(await office.worker("bob").claim()) == 1

    with pytest.raises(ConcurrencyError):
        await session.commit()

    assert await Session(office.store).get(THINGS, "answer") is None


async def test_given_work_that_goes_on_when_renewed_then_nobody_takes_it_over(office: Office) -> None:
    await office.add("a")
    ann = office.worker("ann")
    (item,) = await ann.claim()

    office.later(8)
    await ann.renew(item)
    office.later(8)

    assert await office.worker("bob").claim() == []


async def test_given_work_that_failed_when_handed_back_then_it_comes_again_with_its_error(office: Office) -> None:
    await office.add("a")
    ann = office.worker("ann")
    (item,) = await ann.claim()

    await ann.hand_back(item, due=office.clock.now() + timedelta(seconds=3), error="TimeoutError")
    assert await ann.claim() == []
    office.later(3)
    (again,) = await office.worker("bob").claim()

    assert (again.attempts, again.error) == (2, "TimeoutError")


async def test_given_work_that_is_parked_then_nobody_claims_it(office: Office) -> None:
    await office.add("a")
    ann = office.worker("ann")
    (item,) = await ann.claim()

    await ann.park(item, "ZeroDivisionError")
    office.later(1000)

    assert await office.worker("bob").claim() == []
    parked = await office.item("a")
    assert parked is not None
    assert (parked.state, parked.owner, parked.error) == (WorkState.PARKED, "", "ZeroDivisionError")


async def test_given_an_id_that_is_there_when_added_again_then_it_is_a_conflict(office: Office) -> None:
    await office.add("a")

    with pytest.raises(ConcurrencyError):
        await office.add("a", queue="parcels")


async def test_given_a_group_of_which_much_waits_then_the_others_come_beside_it(office: Office) -> None:
    session = Session(office.store)
    for number in range(450):
        session.save(ITEMS, WorkItem(id=f"a{number}", queue="post", group="a", number=number, due=office.clock.now()))
    office.later(1)
    for group in "bc":
        session.save(ITEMS, WorkItem(id=group, queue="post", group=group, due=office.clock.now()))
    await session.commit()
    ann = WorkQueue(office.store, office.clock, queue="post", owner="ann", seconds=10, ordered=True)

    claimed = [item.id for item in await ann.claim(limit=3)]

    assert claimed == ["a0", "b", "c"]
    assert await ann.claim(limit=3) == []


async def test_given_many_items_with_one_number_then_all_are_found(office: Office) -> None:
    await office.add(*[f"{number:03}" for number in range(450)])

    found = [item.id async for item in WorkItems(office.store, "letters").find(WorkState.WAITING)]

    assert found == [f"{number:03}" for number in range(450)]
