"""The person: a customer of the bank."""

from datetime import date

from neuroglia.domain import AggregateRoot, when
from openbank.domain.errors import InvalidDateOfBirth
from openbank.domain.events.persons import PersonAddressChanged, PersonRegistered
from openbank.domain.models.address import Address
from openbank.domain.models.gender import Gender


class Person(AggregateRoot, stream="person"):
    """Somebody who can own accounts."""

    first_name: str
    last_name: str
    nationality: str
    date_of_birth: date
    gender: Gender | None
    address: Address

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"

    @classmethod
    def register(cls, id: str, details: PersonRegistered, *, today: date) -> "Person":
        """Makes a customer.

        Raises:
            InvalidDateOfBirth: in the future, or more than 130 years ago.
        """
        if not today.year - 130 <= details.date_of_birth.year or not details.date_of_birth < today:
            raise InvalidDateOfBirth
        person = cls(id)
        person.apply(details)
        return person

    def move(self, address: Address) -> None:
        """Takes down a new address. The same one again is no news."""
        if address != self.address:
            self.apply(PersonAddressChanged(address=address))

    @when
    def _registered(self, event: PersonRegistered) -> None:
        self.first_name = event.first_name
        self.last_name = event.last_name
        self.nationality = event.nationality
        self.date_of_birth = event.date_of_birth
        self.gender = event.gender
        self.address = event.address

    @when
    def _address_changed(self, event: PersonAddressChanged) -> None:
        self.address = event.address
