"""Writing a file on the host."""

import base64
from dataclasses import dataclass
from typing import Annotated

from pydantic import PlainSerializer

from desktop_controller.integration.models.files import FileDto
from desktop_controller.integration.ports import ManagedFiles
from neuroglia.mediation import Command, CommandHandler


def _as_text(content: bytes) -> str:
    return base64.b64encode(content).decode()


Content = Annotated[bytes, PlainSerializer(_as_text, when_used="json")]
"""Any bytes, which JSON has no form for: with an Idempotency-Key, a digest of the command's JSON is kept."""


@dataclass(frozen=True, slots=True)
class WriteFile(Command[FileDto]):
    """Replaces a file below the managed folder, all or nothing."""

    path: str
    content: Content


class WriteFileHandler(CommandHandler[WriteFile, FileDto]):
    def __init__(self, files: ManagedFiles) -> None:
        self.files = files

    async def handle(self, command: WriteFile) -> FileDto:
        await self.files.write(command.path, command.content)
        return FileDto(path=command.path, size=len(command.content))
