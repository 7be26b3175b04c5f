"""Taking money out, from the aggregate to HTTP."""

import pytest

from neuroglia.testing import Answer, RunningService, given
from openbank.domain import errors
from openbank.domain.models.bank_account import BankAccount
from tests.openbank.builders import CLOSED, FROZEN, deposited, eur, head, new_account, opened, withdrawn
from tests.openbank.test_transactions import FIELDS

on_shared_bank = pytest.mark.asyncio(loop_scope="module")


async def withdraw(bank: RunningService, account: str, amount: str, **more: str) -> Answer:
    return await bank.when(
        "POST", "/api/v1/transactions/withdrawals", json={"account_id": account, "amount": amount, **more}
    )


def test_given_enough_money_when_withdrawing_then_the_balance_falls() -> None:
    outcome = given(BankAccount, opened(), deposited("100", "100")).when(lambda it: it.withdraw(eur("30"), "rent"))

    outcome.then(withdrawn("30", "70", "rent"))


def test_given_too_little_money_when_withdrawing_then_it_is_refused() -> None:
    outcome = given(BankAccount, opened(overdraft="50")).when(lambda account: account.withdraw(eur("50.01"), ""))

    outcome.then_refused(errors.InsufficientFunds)


@on_shared_bank
async def test_given_money_when_withdrawing_over_http_then_the_transaction_is_told_and_recorded(
    shared_bank: RunningService,
) -> None:
    account = await new_account(shared_bank, overdraft="10")

    answer = await withdraw(shared_bank, account, "10.00", reference="x")

    answer.then(
        201,
        {"account_id": account, "type": "withdrawal", "amount": "10.00", "balance_after": "-10.00", "currency": "EUR"},
        events=[withdrawn("10", "-10", "x")],
    )
    assert set(answer.body) == FIELDS
    assert answer.response.headers["x-event-position"] == str(await head(shared_bank))
    (await shared_bank.when("GET", answer.response.headers["location"])).then(200, answer.body)
    (await shared_bank.when("GET", f"/api/v1/accounts/{account}")).then(
        200, {"balance": "-10.00", "available": "0.00", "version": 1}
    )


@on_shared_bank
async def test_given_too_little_when_withdrawing_over_http_then_the_rule_is_named(shared_bank: RunningService) -> None:
    account = await new_account(shared_bank, deposited("5", "5"), overdraft="10")

    answer = await withdraw(shared_bank, account, "15.01")

    answer.then_refused(422, "insufficient-funds")
    assert answer.body["detail"] == "15.01 EUR was requested, 15.00 EUR is available."


@on_shared_bank
async def test_given_a_frozen_account_when_withdrawing_then_it_is_a_conflict(shared_bank: RunningService) -> None:
    account = await new_account(shared_bank, FROZEN, overdraft="10")

    (await withdraw(shared_bank, account, "1")).then_refused(409, "account-frozen")


@on_shared_bank
async def test_given_a_closed_account_when_withdrawing_then_it_is_a_conflict(shared_bank: RunningService) -> None:
    account = await new_account(shared_bank, CLOSED, overdraft="10")

    (await withdraw(shared_bank, account, "1")).then_refused(409, "account-closed")


@on_shared_bank
async def test_given_no_account_when_withdrawing_then_it_is_404(shared_bank: RunningService) -> None:
    (await withdraw(shared_bank, "x", "1")).then_refused(404, "not-found")
