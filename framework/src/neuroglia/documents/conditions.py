"""What to look for: typed conditions on declared fields. There is no query text, so there is nothing to inject."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, Final

from neuroglia.core.clock import format_utc
from neuroglia.core.paging import Scalar

Value = str | int | bool | datetime | date | Enum
OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "=": operator.eq,
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """One comparison of a field with a value, which is already in its stored form."""

    field: str
    operator: str
    value: Scalar

    def __post_init__(self) -> None:
        """Refuses what a store could take for more than a comparison with a value."""
        if self.operator not in OPERATORS:
            raise ValueError(f"'{self.operator}' compares nothing; there are {' '.join(OPERATORS)}")
        stored_form(self.value)


def eq(field: str, value: Value) -> Condition:
    """The field equals the value."""
    return Condition(field, "=", stored_form(value))


def ge(field: str, value: Value) -> Condition:
    """The field is the value or more."""
    return Condition(field, ">=", stored_form(value))


def gt(field: str, value: Value) -> Condition:
    """The field is more than the value."""
    return Condition(field, ">", stored_form(value))


def le(field: str, value: Value) -> Condition:
    """The field is the value or less."""
    return Condition(field, "<=", stored_form(value))


def lt(field: str, value: Value) -> Condition:
    """The field is less than the value."""
    return Condition(field, "<", stored_form(value))


def stored_form(value: object) -> Scalar:
    """A value as the codec writes it.

    Raises:
        TypeError: values of this type cannot be compared in a store: decimals and structures.
    """
    match value:
        case Enum():
            return stored_form(value.value)
        case datetime():
            return format_utc(value)
        case date():
            return value.isoformat()
        case str() | int() | None:
            return value
        case _:
            raise TypeError(f"a {type(value).__name__} cannot be looked for; index a text, a number or a time")
