"""A file on the host."""

from dataclasses import dataclass

from desktop_controller.integration.ports import ManagedFiles
from neuroglia.mediation import Query, QueryHandler


@dataclass(frozen=True, slots=True)
class ReadFile(Query[bytes]):
    """The content of a file below the managed folder."""

    path: str


class ReadFileHandler(QueryHandler[ReadFile, bytes]):
    def __init__(self, files: ManagedFiles) -> None:
        self.files = files

    async def handle(self, query: ReadFile) -> bytes:
        return await self.files.read(query.path)
