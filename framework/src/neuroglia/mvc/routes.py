"""The decorators that make a controller's method an endpoint."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Concatenate, Final, ParamSpec, TypeVar

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from neuroglia.core.paging import DEFAULT_LIMIT, MAX_LIMIT

C = TypeVar("C")
P = ParamSpec("P")
R = TypeVar("R")
Method = Callable[Concatenate[C, P], Awaitable[R]]
MARK: Final = "__endpoint__"
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]")

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description=f"At most so many items (default {DEFAULT_LIMIT}).")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.")]


def _with_a_date(value: object) -> object:
    """Else a number would be read as seconds since 1970."""
    if isinstance(value, int | float) or (isinstance(value, str) and not _DATE.match(value)):
        raise ValueError("a moment reads 2025-01-31T09:30:00Z")
    return value


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("this moment lies outside the years 1 to 9999 in UTC") from None


Moment = Annotated[AwareDatetime, BeforeValidator(_with_a_date), AfterValidator(_in_utc)]
"""A point in time (RFC 3339, with an offset), as UTC."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a decorator says of its method. `options` go to FastAPI's `add_api_route` as they are."""

    method: str
    path: str
    status_code: int
    scopes: Sequence[str]
    location: str | None
    options: dict[str, Any]


def get(
    path: str = "", *, scopes: Sequence[str] = (), status_code: int = 200, **options: Any
) -> Callable[[Method[C, P, R]], Method[C, P, R]]:
    """Answers GET. `scopes`: the caller needs one of these; an endpoint without any stops the start."""
    return _endpoint(Endpoint("GET", path, status_code, scopes, None, options))


def post(
    path: str = "",
    *,
    scopes: Sequence[str] = (),
    status_code: int = 200,
    location: str | None = None,
    **options: Any,
) -> Callable[[Method[C, P, R]], Method[C, P, R]]:
    """Answers POST.

    `location` names what was created, below the controller's prefix, with attributes of the result: `/{id}`.
    """
    return _endpoint(Endpoint("POST", path, status_code, scopes, location, options))


def put(
    path: str = "",
    *,
    scopes: Sequence[str] = (),
    status_code: int = 200,
    location: str | None = None,
    **options: Any,
) -> Callable[[Method[C, P, R]], Method[C, P, R]]:
    """Answers PUT."""
    return _endpoint(Endpoint("PUT", path, status_code, scopes, location, options))


def patch(
    path: str = "", *, scopes: Sequence[str] = (), status_code: int = 200, **options: Any
) -> Callable[[Method[C, P, R]], Method[C, P, R]]:
    """Answers PATCH."""
    return _endpoint(Endpoint("PATCH", path, status_code, scopes, None, options))


def delete(
    path: str = "", *, scopes: Sequence[str] = (), status_code: int = 204, **options: Any
) -> Callable[[Method[C, P, R]], Method[C, P, R]]:
    """Answers DELETE."""
    return _endpoint(Endpoint("DELETE", path, status_code, scopes, None, options))


def _endpoint(endpoint: Endpoint) -> Callable[[Method[C, P, R]], Method[C, P, R]]:
    def decorate(method: Method[C, P, R]) -> Method[C, P, R]:
        setattr(method, MARK, endpoint)
        return method

    return decorate
