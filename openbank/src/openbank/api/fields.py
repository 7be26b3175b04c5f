"""The fields that several requests share, with what is allowed in them."""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Annotated, Final

import pycountry
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

_NO_CONTROLS: Final = r"^[^\x00-\x1f\x7f-\x9f]*$"
_DECIMAL: Final = r"[0-9]{1,12}(\.[0-9]{1,2})?"


def _written(form: str, hint: str) -> Callable[[object], str]:
    """Takes text of this form alone. pydantic reads more: `1E+2`, `1_000` and floats as amounts, numbers as dates."""
    pattern = re.compile(form)

    def check(value: object) -> str:
        if isinstance(value, str) and pattern.fullmatch(value):
            return value
        raise ValueError(hint)

    return check


def _positive(amount: Decimal) -> Decimal:
    if amount == 0:
        raise ValueError("an amount is more than zero")
    return amount


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=_NO_CONTROLS)]
Reference = Annotated[str, StringConstraints(strip_whitespace=True, max_length=140, pattern=_NO_CONTROLS)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Date = Annotated[date, BeforeValidator(_written("[0-9]{4}-[0-9]{2}-[0-9]{2}", "a date reads 1990-12-31"))]
Limit = Annotated[
    Decimal,
    BeforeValidator(
        _written(_DECIMAL, 'an amount is text, such as "12.50", below 10^12 and with at most two decimals'),
        json_schema_input_type=Annotated[str, Field(pattern=f"^{_DECIMAL}$", examples=["12.50"])],
    ),
]
Amount = Annotated[Limit, AfterValidator(_positive)]


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
