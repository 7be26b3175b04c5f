"""Parameters that many endpoints share."""

import re
from typing import Annotated, Final

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime, BeforeValidator

from neuroglia.core.clock import in_utc
from neuroglia.core.paging import DEFAULT_LIMIT, MAX_LIMIT

_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]")

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description=f"At most so many items (default {DEFAULT_LIMIT}).")]
Cursor = Annotated[str | None, Query(description="`next_cursor` of the page before.")]


def _with_a_date(value: object) -> object:
    """Else a number would be read as seconds since 1970."""
    if isinstance(value, int | float) or (isinstance(value, str) and not _DATE.match(value)):
        raise ValueError("a moment reads 2025-01-31T09:30:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_with_a_date), AfterValidator(in_utc)]
"""A point in time (RFC 3339, with an offset), as UTC."""
