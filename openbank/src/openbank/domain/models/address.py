"""Where somebody lives."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address. `country` is an ISO 3166 alpha-2 code."""

    street: str
    number: str
    postal_code: str
    city: str
    country: str
    state: str | None = None
