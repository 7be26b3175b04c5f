"""The fields that several requests share, with what is allowed in them."""

import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, Final, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, JsonValue, StringConstraints
from pydantic_core import PydanticCustomError

_NO_CONTROLS: Final = r"^[^\x00-\x1f\x7f-\x9f]*$"
_DEEPEST: Final = 32
_LARGEST: Final = 256 * 1024
_WHOLE: Final = 2**63
"""Beyond this, whole numbers are read differently by others (RFC 8259, section 6)."""


def _bounded(value: Any) -> Any:
    """The same, if whoever gets it reads the same: of so many bytes, nested so deep, with numbers that are some."""
    _check(value, 1)
    try:
        size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
    except UnicodeEncodeError:  # JSON can escape one half of a surrogate pair
        raise PydanticCustomError("string_unicode", "A text in it contains what is no character.") from None
    if size > _LARGEST:
        raise PydanticCustomError("too_large", "It has more than {most} bytes.", {"most": _LARGEST})
    return value


def _check(value: Any, depth: int) -> None:
    if depth > _DEEPEST:
        raise PydanticCustomError("too_deep", "It is nested deeper than {most} levels.", {"most": _DEEPEST})
    match value:
        case dict():
            for part in cast("dict[str, Any]", value).values():
                _check(part, depth + 1)
        case list():
            for part in cast("list[Any]", value):
                _check(part, depth + 1)
        case float() if not math.isfinite(value):
            raise PydanticCustomError("finite_number", "A number in it is too large.")
        case int() if not -_WHOLE <= value < _WHOLE:
            raise PydanticCustomError("integer_range", "A whole number in it has more than 64 bits.")
        case _:
            pass


def _url(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise PydanticCustomError("url", "A URL is written in ASCII (RFC 3986).")
    return text


Json = Annotated[Mapping[str, JsonValue], BeforeValidator(_bounded)]
Url = Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(_url)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=128, pattern=_NO_CONTROLS)]


class RequestModel(BaseModel):
    """Base of request bodies: a field that nobody knows is a mistake of the sender."""

    model_config = ConfigDict(extra="forbid")
