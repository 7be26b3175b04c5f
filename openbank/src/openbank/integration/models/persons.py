"""What is shown of a person."""

from datetime import date, datetime

from pydantic import BaseModel

from neuroglia.documents import document
from openbank.domain.models.gender import Gender as Gender


class AddressDto(BaseModel):
    """A postal address. `country` is an ISO 3166 alpha-2 code."""

    street: str
    number: str
    postal_code: str
    city: str
    state: str | None = None
    country: str


@document("persons", indexes=["registered_at"])
class PersonDto(BaseModel):
    """A customer of the bank."""

    id: str
    first_name: str
    last_name: str
    nationality: str
    date_of_birth: date
    gender: Gender | None
    address: AddressDto
    registered_at: datetime
    version: int
