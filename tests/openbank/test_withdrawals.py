"""Taking money out, from the aggregate to HTTP."""

from neuroglia.testing import RunningService, given
from openbank.domain import errors
from openbank.domain.events.accounts import MoneyDeposited, MoneyWithdrawn
from openbank.domain.models.bank_account import BankAccount
from openbank.domain.models.person import Person
from tests.openbank.builders import eur, opened, registered


def test_given_enough_money_when_withdrawing_then_the_balance_falls() -> None:
    deposited = MoneyDeposited(amount=eur("100"), balance_after=eur("100"), reference="")

    outcome = given(BankAccount, opened(), deposited).when(lambda account: account.withdraw(eur("30"), "rent"))

    outcome.then(MoneyWithdrawn(amount=eur("30"), balance_after=eur("70"), reference="rent"))


def test_given_too_little_money_when_withdrawing_then_it_is_refused() -> None:
    outcome = given(BankAccount, opened(overdraft="50")).when(lambda account: account.withdraw(eur("50.01"), ""))

    outcome.then_refused(errors.InsufficientFunds)


async def test_given_money_when_withdrawing_over_http_then_the_transaction_is_told_and_recorded(
    bank: RunningService,
) -> None:
    await bank.given(Person, "ada", registered())
    await bank.given(BankAccount, "a", opened(owner="ada", overdraft="10"))

    answer = await bank.when(
        "POST", "/api/v1/transactions/withdrawals", json={"account_id": "a", "amount": "10.00", "reference": "x"}
    )

    answer.then(
        201,
        {"account_id": "a", "type": "withdrawal", "amount": "10.00", "balance_after": "-10.00", "currency": "EUR"},
        events=[MoneyWithdrawn(amount=eur("10"), balance_after=eur("-10"), reference="x")],
    )
    shown = await bank.when("GET", answer.response.headers["location"])
    shown.then(200, answer.body)
