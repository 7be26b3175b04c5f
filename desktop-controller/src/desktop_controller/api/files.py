"""`/files`."""

import mimetypes
from pathlib import PurePosixPath
from typing import Any, Final

from fastapi import Request, Response

from desktop_controller.application.commands.write_file import WriteFile
from desktop_controller.application.queries.list_files import ListFiles
from desktop_controller.application.queries.read_file import ReadFile
from desktop_controller.integration.models.files import FileDto
from neuroglia.mvc import DEFAULT_LIMIT, ControllerBase, Cursor, Limit, Page, get, put

_BYTES: Final = "application/octet-stream"
_CONTENT: Final[dict[str, Any]] = {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
_BODY: Final[dict[str, Any]] = {"requestBody": {"required": True, **_CONTENT}}
_AS_IT_IS: Final = {"X-Content-Type-Options": "nosniff", "Content-Disposition": "attachment"}
"""A browser saves it. It never shows somebody's file as a page of this service."""


class FilesController(ControllerBase):
    @get(scopes=["desktop:read"])
    async def list(self, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Page[FileDto]:
        """Lists the files below the managed folder, in the order of their paths."""
        return await self.mediator.execute(ListFiles(limit, cursor))

    @get(
        "/{path:path}",
        scopes=["desktop:read"],
        response_class=Response,
        responses={200: {"description": "The content, as it is.", **_CONTENT}},
    )
    async def read(self, path: str) -> Response:
        """Sends a file."""
        content = await self.mediator.execute(ReadFile(path))
        return Response(content, headers=_AS_IT_IS, media_type=_kind(path))

    @put("/{path:path}", scopes=["desktop:write"], openapi_extra=_BODY)
    async def write(self, path: str, request: Request) -> FileDto:
        """Replaces a file by the body, all or nothing; folders on the way are made."""
        return await self.mediator.execute(WriteFile(path, await request.body()))


def _kind(path: str) -> str:
    """By the end of its name alone: a whole path can look like a URL that says its own type."""
    kind, encoding = mimetypes.guess_type("x" + PurePosixPath(path).suffix)
    return _BYTES if kind is None or encoding or not kind.isascii() else kind
