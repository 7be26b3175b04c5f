"""Files on the host."""

from dataclasses import dataclass
from typing import Final

from desktop_controller.integration.models.files import FileDto
from desktop_controller.integration.ports import ManagedFiles
from neuroglia.core import MalformedRequest, Page
from neuroglia.core.paging import decode_cursor, encode_cursor
from neuroglia.mediation import Query, QueryHandler

_LIST: Final = ["files"]


@dataclass(frozen=True, slots=True)
class ListFiles(Query[Page[FileDto]]):
    """A page of the files below the managed folder, in the order of their paths."""

    limit: int
    cursor: str | None


class ListFilesHandler(QueryHandler[ListFiles, Page[FileDto]]):
    def __init__(self, files: ManagedFiles) -> None:
        self.files = files

    async def handle(self, query: ListFiles) -> Page[FileDto]:
        after = ""
        if query.cursor is not None:
            match decode_cursor(_LIST, query.cursor, 1):
                case [str() as after]:
                    pass
                case _:
                    raise MalformedRequest("The cursor does not belong to this list.")
        found = await self.files.list(after, query.limit + 1)
        shown = [FileDto(path=one.path, size=one.size) for one in found[: query.limit]]
        more = len(found) > query.limit
        return Page(items=shown, next_cursor=encode_cursor(_LIST, [shown[-1].path]) if more else None)
