"""What is known of the host and its user: small JSON documents, each a file on the host."""

import json
import re
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue, TypeAdapter, ValidationError

from desktop_controller.integration.ports import ManagedFiles
from neuroglia.core.errors import NotFoundError, Unavailable

_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")
_DOCUMENT: Final = TypeAdapter(dict[str, JsonValue])


class HostDocuments:
    """Stands on files, whichever way they are reached, and so replaces a document all or nothing. Their folder is not
    the one whose files callers manage."""

    def __init__(self, files: ManagedFiles) -> None:
        self._files = files

    async def load(self, name: str) -> dict[str, JsonValue] | None:
        try:
            return _DOCUMENT.validate_json(await self._files.read(_file(name)))
        except NotFoundError:
            return None
        except ValidationError as error:
            raise Unavailable("What is stored on the host cannot be read.") from error

    async def save(self, name: str, value: Mapping[str, JsonValue]) -> None:
        await self._files.write(_file(name), json.dumps(dict(value), indent=2).encode())


def _file(name: str) -> str:
    assert _NAME.fullmatch(name), "the names of documents are fixed by us"
    return f"{name}.json"
