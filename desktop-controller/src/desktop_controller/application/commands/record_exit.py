"""A command's process has ended by itself."""

from dataclasses import asdict, dataclass

from desktop_controller.domain.models.captured_output import CapturedOutput
from desktop_controller.domain.models.host_command import HostCommand
from desktop_controller.integration.ports import Captured
from neuroglia.core import Clock
from neuroglia.domain import Repository
from neuroglia.mediation import Command, CommandHandler


@dataclass(frozen=True, slots=True)
class RecordExit(Command[None]):
    """Notes the exit code, and what was captured."""

    command_id: str
    exit_code: int
    output: Captured


class RecordExitHandler(CommandHandler[RecordExit, None]):
    def __init__(self, commands: Repository[HostCommand], clock: Clock) -> None:
        self.commands = commands
        self.clock = clock

    async def handle(self, command: RecordExit) -> None:
        found = await self.commands.get(command.command_id)
        found.exit(command.exit_code, CapturedOutput(**asdict(command.output)), self.clock.now())
        await self.commands.save(found)
