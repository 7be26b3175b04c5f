"""Pages of lists, and the cursors that lead from one to the next."""

import base64
import hashlib
import json
import math
from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar, cast

from pydantic import BaseModel

from neuroglia.core.errors import MalformedRequest

T = TypeVar("T")
DEFAULT_LIMIT: Final = 50
MAX_LIMIT: Final = 200
Scalar = str | int | float | bool | None


class Page(BaseModel, Generic[T]):
    """Some items of a list. `next_cursor` leads to those after them; null: there are no more."""

    items: list[T]
    next_cursor: str | None = None


def encode_cursor(query: Sequence[object], last: Sequence[Scalar]) -> str:
    """A cursor behind the item whose sort key is `last`; it fits only the list that `query` describes."""
    payload = json.dumps([_digest(query), *last], separators=(",", ":"))
    return base64.urlsafe_b64encode(payload.encode()).decode().rstrip("=")


def decode_cursor(query: Sequence[object], cursor: str, length: int) -> Sequence[Scalar]:
    """The sort key (of `length` values) in a cursor that was made for the same query.

    Raises:
        MalformedRequest: the cursor is broken, or belongs to another list or other filters.
    """
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        payload = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        payload = None
    if isinstance(payload, list):
        digest, *last = cast("list[Any]", payload) or [None]
        if digest == _digest(query) and len(last) == length and all(map(_is_storable, last)):
            return last
    raise MalformedRequest("The cursor does not belong to this list.")


def _is_storable(value: object) -> bool:
    """Whether every store can compare with it; a cursor comes from outside and may hold any JSON."""
    match value:
        case str():
            return value.encode(errors="ignore").decode() == value  # no lone surrogates
        case int():
            return -(2**63) <= value < 2**63
        case float():
            return math.isfinite(value)
        case _:
            return value is None


def _digest(query: Sequence[object]) -> str:
    return hashlib.sha256(repr(query).encode()).hexdigest()[:16]
