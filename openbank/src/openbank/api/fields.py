"""The fields that several requests share, with what is allowed in them."""

from decimal import Decimal
from typing import Annotated

import pycountry
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Reference = Annotated[str, StringConstraints(strip_whitespace=True, min_length=0, max_length=140)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Amount = Annotated[
    Decimal,
    Field(
        gt=0,
        lt=10**12,
        decimal_places=2,
        allow_inf_nan=False,
        examples=["12.50"],
        description="At most two decimals.",
    ),
]
Limit = Annotated[Decimal, Field(ge=0, lt=10**12, decimal_places=2, allow_inf_nan=False, examples=["100.00"])]


def _existing_country(code: str) -> str:
    if pycountry.countries.get(alpha_2=code) is None:
        raise ValueError("this is no country of ISO 3166")
    return code


Country = Annotated[
    str, StringConstraints(pattern=r"^[A-Z]{2}$"), AfterValidator(_existing_country), Field(examples=["DE"])
]


class RequestModel(BaseModel):
    """Base of request bodies: a field that nobody knows is a mistake of the sender."""

    model_config = ConfigDict(extra="forbid")
