"""Turning pydantic's findings into our field errors."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from neuroglia.core.errors import FieldError

_MOST: Final = 50


def misfits(error: ValidationError, at: str = "") -> Sequence[FieldError]:
    """What does not fit, for a value that stands at this place of the document."""
    return field_errors(error.errors(include_url=False, include_context=False), at=at)


def field_errors(errors: Sequence[Mapping[str, Any]], skip: int = 0, at: str = "") -> Sequence[FieldError]:
    """One `FieldError` for each finding, below `at`. `skip`: how many leading parts of each location are not in the
    document."""
    found = [
        FieldError(
            pointer=at + "".join(f"/{_escape(str(part))}" for part in error["loc"][skip:]),
            code=str(error["type"]).replace("_", "-"),
            detail=str(error["msg"]).removeprefix("Value error, "),  # which pydantic puts before ours
        )
        for error in errors[:_MOST]
    ]
    if len(errors) > _MOST:
        found.append(FieldError(at, "more-errors", f"{len(errors) - _MOST} more values are not valid."))
    return found


def _escape(part: str) -> str:
    return part.replace("~", "~0").replace("/", "~1")  # RFC 6901, section 3
