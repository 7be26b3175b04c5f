"""Short ways to say what has happened, and what somebody sends."""

from datetime import date
from decimal import Decimal
from typing import Any

from neuroglia.core import SystemIds
from neuroglia.domain import DomainEvent
from neuroglia.event_sourcing import EventStore
from neuroglia.testing import RunningService
from openbank.domain.events.accounts import (
    AccountClosed,
    AccountFrozen,
    AccountOpened,
    AccountUnfrozen,
    MoneyDeposited,
    MoneyWithdrawn,
)
from openbank.domain.events.persons import PersonRegistered
from openbank.domain.events.transfers import TransferDebited, TransferRequested
from openbank.domain.models.address import Address
from openbank.domain.models.bank_account import BankAccount
from openbank.domain.models.money import Currency, Money
from openbank.domain.models.person import Person

ADDRESS = Address(street="Unter den Linden", number="1", postal_code="10117", city="Berlin", country="DE")
ADDRESS_BODY = {
    "street": "Unter den Linden",
    "number": "1",
    "postal_code": "10117",
    "city": "Berlin",
    "state": None,
    "country": "DE",
}
PERSON_BODY = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "nationality": "GB",
    "date_of_birth": "1990-12-10",
    "gender": None,
    "address": ADDRESS_BODY,
}
FROZEN = AccountFrozen(reason=None)
UNFROZEN = AccountUnfrozen(reason=None)
CLOSED = AccountClosed(reason=None)


def eur(amount: str | Decimal) -> Money:
    """Some euros."""
    return Money(Decimal(amount), Currency.EUR)


def registered(first_name: str = "Ada", last_name: str = "Lovelace") -> PersonRegistered:
    """Somebody became a customer."""
    return PersonRegistered(
        first_name=first_name,
        last_name=last_name,
        nationality="GB",
        date_of_birth=date(1990, 12, 10),
        gender=None,
        address=ADDRESS,
    )


def opened(*, owner: str = "ada", overdraft: str = "0") -> AccountOpened:
    """An account in euros was opened."""
    return AccountOpened(owner_id=owner, overdraft_limit=eur(overdraft))


def deposited(amount: str, after: str, reference: str = "") -> MoneyDeposited:
    """Euros were paid in."""
    return MoneyDeposited(amount=eur(amount), balance_after=eur(after), reference=reference)


def withdrawn(amount: str, after: str, reference: str = "") -> MoneyWithdrawn:
    """Euros were taken out."""
    return MoneyWithdrawn(amount=eur(amount), balance_after=eur(after), reference=reference)


def requested(sender: str = "a", receiver: str = "b", amount: str = "30", reference: str = "rent") -> TransferRequested:
    """Euros were to be transferred."""
    return TransferRequested(from_account_id=sender, to_account_id=receiver, amount=eur(amount), reference=reference)


def debited(sender: str = "a", receiver: str = "b", amount: str = "30", reference: str = "rent") -> TransferDebited:
    """Euros are on their way."""
    return TransferDebited(from_account_id=sender, to_account_id=receiver, amount=eur(amount), reference=reference)


async def given_account(
    bank: RunningService, *history: DomainEvent, id: str = "a", owner: str = "ada", overdraft: str = "0"
) -> None:
    """Ada has an account with this history."""
    await bank.given(Person, owner, registered())
    await bank.given(BankAccount, id, opened(owner=owner, overdraft=overdraft), *history)


async def new_account(bank: RunningService, *history: DomainEvent, overdraft: str = "0") -> str:
    """A new account of a new Ada, on a bank that tests share. Returns its id."""
    id_ = SystemIds().new()
    await given_account(bank, *history, id=id_, owner=f"owner-of-{id_}", overdraft=overdraft)
    return id_


async def head(bank: RunningService) -> int:
    """The position of the last event in the store."""
    return await (await bank.services.get(EventStore)).head()


async def all_pages(bank: RunningService, path: str, **parameters: Any) -> list[list[Any]]:
    """The items of each page of a list, following the cursors to the end."""
    pages: list[list[Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await bank.when("GET", path, params={**parameters, **cursor})).then(200).body
        assert set(page) == {"items", "next_cursor"}
        pages.append(page["items"])
        if page["next_cursor"] is None:
            return pages
        cursor = {"cursor": page["next_cursor"]}
