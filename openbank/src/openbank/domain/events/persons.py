"""What can happen to a person's record."""

from datetime import date

from neuroglia.domain import DomainEvent, event
from openbank.domain.models.address import Address
from openbank.domain.models.gender import Gender


@event("openbank.person-registered.v1")
class PersonRegistered(DomainEvent):
    """Somebody became a customer."""

    first_name: str
    last_name: str
    nationality: str
    date_of_birth: date
    gender: Gender | None
    address: Address


@event("openbank.person-address-changed.v1")
class PersonAddressChanged(DomainEvent):
    """Somebody moved."""

    address: Address
