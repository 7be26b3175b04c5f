"""Two runners at the same transfer, and messages that come again: money is conserved, and the transfer ends."""

import asyncio

import pytest

from neuroglia.documents import DocumentStore, DocumentType, Lease, Session
from neuroglia.event_sourcing import EventStore, Subscriptions
from neuroglia.event_sourcing.subscriptions import Checkpoint, Means, SubscriptionRunner, runner_factory
from neuroglia.testing import RunningService
from openbank.application.reactions.transfer_process import TransferProcess
from openbank.domain.models.bank_account import BankAccount
from openbank.domain.models.transfer import TransferStatus
from tests.openbank.builders import CLOSED, deposited, given_account, opened
from tests.openbank.conservation import money_is_conserved
from tests.openbank.lives import Lives
from tests.openbank.rivals import COURSES, course_id, play
from tests.support.engines import Backing

pytestmark = pytest.mark.service

PROCESS = TransferProcess.name


@pytest.mark.parametrize(("course", "end"), COURSES, ids=course_id)
async def test_given_a_runner_that_was_refused_and_one_that_debits_then_it_ends_however_far_they_came(
    backing: Backing, course: list[str], end: TransferStatus
) -> None:
    lives = Lives(backing)
    async with lives.life(idle=True) as bank:  # the two runners are played here
        await play(bank, course)
    async with lives.life() as bank:
        await bank.settle()

        assert await money_is_conserved(bank) == {end: 1}


@pytest.mark.parametrize("receiver", ["b", "closed"])
async def test_given_every_message_three_times_then_nothing_happens_again(backing: Backing, receiver: str) -> None:
    lives = Lives(backing)
    async with lives.life() as bank:
        await given_account(bank, deposited("100", "100"))
        await bank.given(BankAccount, "b", opened())
        await bank.given(BankAccount, "closed", opened(), CLOSED)
        body = {"from_account_id": "a", "to_account_id": receiver, "amount": "30.00"}
        for _ in range(3):
            (await bank.when("POST", "/api/v1/transfers", json=body)).then(202)
        ended = await money_is_conserved(bank)
        head = await (await bank.services.get(EventStore)).head()
    for _ in range(2):
        async with lives.life(idle=True) as bank:
            session = Session(await bank.services.get(DocumentStore))
            await session.delete(DocumentType(Checkpoint), PROCESS)
            await session.commit()
        async with lives.life() as bank:
            await bank.settle()

            assert await (await bank.services.get(EventStore)).head() == head
            assert await money_is_conserved(bank) == ended


async def unknown_runner(bank: RunningService, number: int) -> SubscriptionRunner:
    """A runner of the process that knows nothing of the lease, as if it had been paused and woke up."""
    subscriptions, means = await bank.services.get(Subscriptions), await bank.services.get(Means)
    known = subscriptions.runners[TransferProcess]
    other = runner_factory(known.kind, known.prefixes, lease_seconds=1)(means)
    other._lease = Lease(means.documents, means.clock, name=f"unknown {number}", owner=str(number), seconds=1)
    return other


async def test_given_three_runners_that_do_not_know_of_each_other_then_each_transfer_has_one_effect(
    bank: RunningService,
) -> None:
    await given_account(bank, deposited("1000", "1000"))
    await bank.given(BankAccount, "b", opened())
    await bank.given(BankAccount, "closed", opened(), CLOSED)
    runners = [await unknown_runner(bank, number) for number in range(2)]
    tasks = [asyncio.create_task(runner.run()) for runner in runners]

    for receiver in ("b", "closed", "b", "nobody") * 3:
        body = {"from_account_id": "a", "to_account_id": receiver, "amount": "30.00"}
        (await bank.when("POST", "/api/v1/transfers", json=body)).then(202)
    await bank.settle()
    for runner in runners:
        await runner.stop()
    await asyncio.gather(*tasks)

    assert await money_is_conserved(bank) == {TransferStatus.COMPLETED: 6, TransferStatus.REFUNDED: 6}
