"""A command was ended, or could not be run."""

from dataclasses import asdict, dataclass

from desktop_controller.domain.models.captured_output import CapturedOutput
from desktop_controller.domain.models.command_status import CommandStatus
from desktop_controller.domain.models.host_command import HostCommand
from desktop_controller.integration.ports import Captured
from neuroglia.core import Clock
from neuroglia.domain import Repository
from neuroglia.mediation import Command, CommandHandler


@dataclass(frozen=True, slots=True)
class RecordEnd(Command[None]):
    """Notes how it ended and why, and what was captured until then."""

    command_id: str
    status: CommandStatus
    reason: str
    output: Captured | None


class RecordEndHandler(CommandHandler[RecordEnd, None]):
    def __init__(self, commands: Repository[HostCommand], clock: Clock) -> None:
        self.commands = commands
        self.clock = clock

    async def handle(self, command: RecordEnd) -> None:
        found = await self.commands.get(command.command_id)
        output = None if command.output is None else CapturedOutput(**asdict(command.output))
        found.end(command.status, command.reason, self.clock.now(), output=output)
        await self.commands.save(found)
