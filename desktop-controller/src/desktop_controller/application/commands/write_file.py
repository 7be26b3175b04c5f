"""Writing a file on the host."""

from dataclasses import dataclass

from desktop_controller.integration.models.files import FileDto
from desktop_controller.integration.ports import ManagedFiles
from neuroglia.mediation import Command, CommandHandler


@dataclass(frozen=True, slots=True)
class WriteFile(Command[FileDto]):
    """Replaces a file below the managed folder, all or nothing."""

    path: str
    content: bytes


class WriteFileHandler(CommandHandler[WriteFile, FileDto]):
    def __init__(self, files: ManagedFiles) -> None:
        self.files = files

    async def handle(self, command: WriteFile) -> FileDto:
        await self.files.write(command.path, command.content)
        return FileDto(path=command.path, size=len(command.content))
