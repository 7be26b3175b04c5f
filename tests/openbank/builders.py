"""Short ways to say what has happened."""

from datetime import date
from decimal import Decimal

from openbank.domain.events.accounts import AccountOpened
from openbank.domain.events.persons import PersonRegistered
from openbank.domain.models.address import Address
from openbank.domain.models.money import Currency, Money

ADDRESS = Address(street="Unter den Linden", number="1", postal_code="10117", city="Berlin", country="DE")


def eur(amount: str) -> Money:
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
