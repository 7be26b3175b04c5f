"""Reading JSON bodies: what two readers could understand differently is refused."""

import functools
import json
import re
from typing import Any, Final, NoReturn

from fastapi import HTTPException, Request
from typing_extensions import override


def strict_json(body: bytes) -> Any:
    """What the JSON says.

    Raises:
        ValueError: it is none, or not UTF-8, which is never guessed from the bytes.
        HTTPException: two readers could understand it differently, or a text is none.
    """
    said = _DECODER.decode(body.decode())
    # few bodies have such escapes, and the others are not looked through
    if (b"\\ud" in body or b"\\uD" in body) and re.search("[\ud800-\udfff]", json.dumps(said, ensure_ascii=False)):
        raise HTTPException(400, "A text in the body holds half of a surrogate pair, which is no character.")
    return said


def is_json(media_type: str) -> bool:
    """Whether a media type, with or without parameters, names JSON (RFC 6839, section 3.1, for `+json`)."""
    subtype = media_type.partition(";")[0].strip().lower().partition("/")[2]
    return subtype == "json" or subtype.endswith("+json")


@functools.lru_cache(maxsize=64)  # nearly all requests say the same
def not_strict_json(media_type: str, encoding: str) -> str | None:
    """What is wrong with the Content-Type and Content-Encoding of a body that shall be JSON, if anything."""
    said = media_type.lower()
    if not (said.startswith("application/") and is_json(said)):
        return "Send Content-Type: application/json."
    if _NOT_UTF_8.search(said) or encoding.lower() != "identity":
        return "Send the JSON in UTF-8, and without a Content-Encoding."
    return None


class StrictRequest(Request):
    """A request whose body is JSON: UTF-8, no NaN or Infinity, no half of a surrogate pair, each field once (RFC 8259,
    RFC 7493)."""

    @override
    async def json(self) -> Any:
        try:
            return strict_json(await self.body())
        except ValueError as error:
            wrong = "UTF-8" if isinstance(error, UnicodeDecodeError) else "valid JSON"
            raise HTTPException(400, f"The body is not {wrong}.") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise HTTPException(400, "The body names a field twice.")
    return found


def _refuse(constant: str) -> NoReturn:
    raise HTTPException(400, f"{constant} is no JSON.")


_NOT_UTF_8: Final = re.compile(r'charset(?!="?(?:utf-?8|us-ascii)\b)')
_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)
