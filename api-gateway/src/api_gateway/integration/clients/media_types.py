"""What a package is: its content decides, and what its server says about it must not contradict."""

import codecs
import re
from collections.abc import Collection
from typing import Final

from api_gateway.integration.ports import DataRefused

ZIP: Final = "application/zip"
_JSON: Final = "application/json"
_TEXTS: Final = ("text/plain", "text/csv", "text/markdown")
_BEGINNINGS: Final = {
    b"PK\x03\x04": ZIP,
    b"PK\x05\x06": ZIP,  # an empty one
    b"%PDF-": "application/pdf",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
}
_OTHER_NAMES: Final = {"application/x-zip-compressed": ZIP, "application/x-zip": ZIP, "text/json": _JSON}
_SAYS_NOTHING: Final = {"", "application/octet-stream", "binary/octet-stream", "application/x-download"}
_LONGEST_BEGINNING: Final = max(map(len, _BEGINNINGS))
_NO_TEXT: Final = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_JSON_BEGINS: Final = re.compile(r"\s*[\[{]")
"""An object or an array: what else is JSON is no package."""

KNOWN_MEDIA_TYPES: Final = frozenset({*_BEGINNINGS.values(), _JSON, *_TEXTS})


class MediaType:
    """Finds out while the content passes, in little memory."""

    def __init__(self, said: str, allowed: Collection[str]) -> None:
        said = said.partition(";")[0].strip().lower()
        self._said = _JSON if said.endswith("+json") else _OTHER_NAMES.get(said, said)
        self._allowed = allowed
        self._begin = b""
        self._decoder: codecs.IncrementalDecoder | None = codecs.getincrementaldecoder("utf-8-sig")()
        self._json: bool | None = None

    def takes(self, piece: bytes) -> None:
        """Looks at the next piece."""
        if len(self._begin) < _LONGEST_BEGINNING:
            self._begin += piece[:_LONGEST_BEGINNING]
        self._read(piece)

    def found(self) -> str:
        """What it is, once all has passed.

        Raises:
            DataRefused: `media-type`: nothing that is known or allowed, or something else than its server says.
        """
        self._read(b"", final=True)
        found = next((type for start, type in _BEGINNINGS.items() if self._begin.startswith(start)), None)
        if found is None and self._decoder is not None:
            found = self._text()
        if found is None or found not in self._allowed:
            raise DataRefused("media-type", "The data is of no type that is taken here.")
        if self._said not in _SAYS_NOTHING and self._said != found:
            raise DataRefused("media-type", f"The data is {found}, and its server says something else.")
        return found

    def _text(self) -> str | None:
        if self._said == _JSON or (self._said in _SAYS_NOTHING and self._json):
            return _JSON if self._json else None
        return self._said if self._said in _TEXTS else "text/plain"

    def _read(self, piece: bytes, *, final: bool = False) -> None:
        if self._decoder is None:
            return
        try:
            text = self._decoder.decode(piece, final)
        except UnicodeDecodeError:
            self._decoder = None
            return
        if _NO_TEXT.search(text):
            self._decoder = None
        if self._json is None and text and not text.isspace():
            self._json = _JSON_BEGINS.match(text) is not None
