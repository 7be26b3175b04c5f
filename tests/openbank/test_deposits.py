"""Paying money in, over HTTP."""

import pytest

from neuroglia.testing import Answer, RunningService
from tests.openbank.builders import CLOSED, FROZEN, deposited, head, new_account
from tests.openbank.test_transactions import FIELDS

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]


async def deposit(bank: RunningService, account: str, amount: str, **more: str) -> Answer:
    return await bank.when(
        "POST", "/api/v1/transactions/deposits", json={"account_id": account, "amount": amount, **more}
    )


async def test_given_an_account_when_depositing_then_the_transaction_is_told_recorded_and_found(
    shared_bank: RunningService,
) -> None:
    account = await new_account(shared_bank)

    answer = await deposit(shared_bank, account, "12.5", reference="  salary  ")

    answer.then(
        201,
        {
            "account_id": account,
            "type": "deposit",
            "amount": "12.50",
            "currency": "EUR",
            "balance_after": "12.50",
            "reference": "salary",
        },
        events=[deposited("12.50", "12.50", "salary")],
    )
    assert set(answer.body) == FIELDS
    assert answer.body["recorded_at"].endswith("Z")
    assert answer.response.headers["location"] == f"/api/v1/transactions/{answer.body['id']}"
    assert answer.response.headers["x-event-position"] == str(await head(shared_bank))
    (await shared_bank.when("GET", answer.response.headers["location"])).then(200, answer.body, events=[])
    (await shared_bank.when("GET", f"/api/v1/accounts/{account}")).then(200, {"balance": "12.50", "version": 1})


async def test_given_a_frozen_account_when_depositing_then_it_is_taken(shared_bank: RunningService) -> None:
    account = await new_account(shared_bank, FROZEN)

    answer = await deposit(shared_bank, account, "1")

    answer.then(201, {"reference": ""}, events=[deposited("1", "1")])


async def test_given_a_closed_account_when_depositing_then_it_is_a_conflict(shared_bank: RunningService) -> None:
    account = await new_account(shared_bank, CLOSED)

    (await deposit(shared_bank, account, "1")).then_refused(409, "account-closed")


async def test_given_no_account_when_depositing_then_it_is_404(shared_bank: RunningService) -> None:
    (await deposit(shared_bank, "x", "1")).then_refused(404, "not-found")


@pytest.mark.parametrize(
    ("amount", "balance"), [("0.01", "0.01"), ("999999999999.99", "999999999999.99"), ("007", "7.00"), ("1.0", "1.00")]
)
async def test_amounts_are_taken_to_the_cent(shared_bank: RunningService, amount: str, balance: str) -> None:
    account = await new_account(shared_bank)

    answer = await deposit(shared_bank, account, amount)

    answer.then(201, {"amount": balance, "balance_after": balance})


async def test_given_a_rich_account_when_depositing_then_no_cent_is_lost(shared_bank: RunningService) -> None:
    account = await new_account(shared_bank, deposited("0.01", "9007199254740993.01"))  # no float holds this

    answer = await deposit(shared_bank, account, "0.01")

    answer.then(201, {"balance_after": "9007199254740993.02"})
    (await shared_bank.when("GET", f"/api/v1/accounts/{account}")).then(200, {"balance": "9007199254740993.02"})


async def test_when_depositing_on_one_account_then_another_is_untouched(shared_bank: RunningService) -> None:
    account = await new_account(shared_bank)
    other = await new_account(shared_bank)

    await deposit(shared_bank, account, "5")

    (await shared_bank.when("GET", f"/api/v1/accounts/{other}")).then(200, {"balance": "0.00", "version": 0})
