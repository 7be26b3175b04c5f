"""The lines of statements, from the events alone."""

from datetime import timedelta
from decimal import Decimal

from neuroglia.mapping import Mapper
from neuroglia.testing import FixedClock, given_projection
from openbank.application import mapping
from openbank.application.projections.statement_projection import StatementProjection
from openbank.domain.events.accounts import TransactionType
from openbank.domain.models.bank_account import BankAccount
from openbank.domain.models.money import Currency
from openbank.integration.models.transactions import TransactionDto
from tests.openbank.builders import CLOSED, FROZEN, UNFROZEN, deposited, opened, withdrawn

HOUR = timedelta(hours=1)


async def test_given_movements_when_they_are_projected_then_each_is_a_line_with_its_moment_and_its_balance() -> None:
    clock = FixedClock()
    start = clock.now()
    projection = given_projection(StatementProjection, Mapper([mapping]), clock=clock)

    projection.when(BankAccount, "a", opened(), deposited("100", "100", "salary"))
    clock.advance(HOUR)
    projection.when(BankAccount, "a", withdrawn("30", "70", "rent"))

    salary = TransactionDto(
        id="event-2",
        account_id="a",
        type=TransactionType.DEPOSIT,
        amount=Decimal(100),
        currency=Currency.EUR,
        balance_after=Decimal(100),
        reference="salary",
        recorded_at=start,
        revision=1,
    )
    rent = salary.model_copy(
        update={
            "id": "event-3",
            "type": TransactionType.WITHDRAWAL,
            "amount": Decimal(30),
            "balance_after": Decimal(70),
            "reference": "rent",
            "recorded_at": start + HOUR,
            "revision": 2,
        }
    )
    await projection.then(salary, rent)


async def test_given_an_account_without_movements_when_it_is_projected_then_there_is_no_line() -> None:
    projection = given_projection(StatementProjection, Mapper([mapping]))

    projection.when(BankAccount, "a", opened(), FROZEN, UNFROZEN, CLOSED)

    assert await projection.shown(TransactionDto) == []
