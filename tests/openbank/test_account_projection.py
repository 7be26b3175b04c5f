"""What is shown of accounts and their owners, from the events alone."""

from dataclasses import replace
from decimal import Decimal

import pytest

from neuroglia.core import NotFoundError
from neuroglia.domain import DomainEvent
from neuroglia.mapping import Mapper
from neuroglia.testing import FixedClock, GivenProjection, given_projection
from openbank.application import mapping
from openbank.application.projections.account_projection import AccountProjection
from openbank.domain.events.persons import PersonAddressChanged
from openbank.domain.models.bank_account import AccountStatus, BankAccount
from openbank.domain.models.money import Currency
from openbank.domain.models.person import Person
from openbank.integration.models.accounts import AccountDto
from openbank.integration.models.persons import PersonDto
from tests.openbank.builders import ADDRESS, CLOSED, FROZEN, UNFROZEN, deposited, opened, registered, withdrawn

NEW = AccountDto(
    id="a",
    owner_id="ada",
    owner_name="Ada Lovelace",
    currency=Currency.EUR,
    balance=Decimal("0.00"),
    available=Decimal("100.00"),
    overdraft_limit=Decimal("100.00"),
    status=AccountStatus.OPEN,
    opened_at=FixedClock().now(),
    version=0,
)


@pytest.fixture
def projection() -> GivenProjection:
    """Ada is a customer."""
    return given_projection(AccountProjection, Mapper([mapping])).when(Person, "ada", registered())


async def test_given_an_owner_when_an_account_is_opened_then_it_is_shown_with_the_owners_name(
    projection: GivenProjection,
) -> None:
    await projection.when(BankAccount, "a", opened(overdraft="100")).then(NEW)


@pytest.mark.parametrize(
    ("history", "changes"),
    [
        ((deposited("5", "5"),), {"balance": Decimal(5), "available": Decimal(105), "version": 1}),
        ((withdrawn("30", "-30"),), {"balance": Decimal(-30), "available": Decimal(70), "version": 1}),
        ((FROZEN,), {"status": AccountStatus.FROZEN, "version": 1}),
        ((FROZEN, UNFROZEN), {"version": 2}),
        ((deposited("5", "5"), withdrawn("5", "0"), CLOSED), {"status": AccountStatus.CLOSED, "version": 3}),
    ],
    ids=["deposited", "withdrawn", "frozen", "unfrozen", "closed"],
)
async def test_given_an_account_when_something_happens_to_it_then_that_is_shown(
    projection: GivenProjection, history: tuple[DomainEvent, ...], changes: dict[str, object]
) -> None:
    projection.when(BankAccount, "a", opened(overdraft="100"), *history)

    await projection.then(NEW.model_copy(update=changes))


async def test_given_two_accounts_when_one_changes_then_the_other_is_shown_as_before(
    projection: GivenProjection,
) -> None:
    projection.when(BankAccount, "b", opened(overdraft="100")).when(BankAccount, "a", opened(overdraft="100"))
    projection.when(BankAccount, "b", FROZEN)

    await projection.then(
        NEW.model_copy(update={"id": "b", "status": AccountStatus.FROZEN, "version": 1}),
        NEW,
    )


async def test_given_a_person_when_they_move_then_their_new_address_is_shown(projection: GivenProjection) -> None:
    projection.when(Person, "ada", PersonAddressChanged(address=replace(ADDRESS, number="2")))

    (person,) = await projection.shown(PersonDto)

    assert (person.first_name, person.address.number, person.version) == ("Ada", "2", 1)
    assert await projection.shown(AccountDto) == []


async def test_given_no_owner_when_an_account_is_opened_then_it_fails(projection: GivenProjection) -> None:
    with pytest.raises(NotFoundError):
        await projection.when(BankAccount, "a", opened(owner="nobody")).shown(AccountDto)
