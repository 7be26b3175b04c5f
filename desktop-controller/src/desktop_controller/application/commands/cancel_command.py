"""Ending a command before its time."""

from dataclasses import dataclass

from desktop_controller.domain.models.host_command import HostCommand
from desktop_controller.integration.models.commands import CommandDto
from neuroglia.core import Clock, RequestContext
from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Command, CommandHandler


@dataclass(frozen=True, slots=True)
class CancelCommand(Command[CommandDto]):
    """Stores who wants it to end; a reaction then tells the runner, even if this process dies in between."""

    command_id: str


class CancelCommandHandler(CommandHandler[CancelCommand, CommandDto]):
    def __init__(
        self, commands: Repository[HostCommand], context: RequestContext, clock: Clock, mapper: Mapper
    ) -> None:
        self.commands = commands
        self.context = context
        self.clock = clock
        self.mapper = mapper

    async def handle(self, command: CancelCommand) -> CommandDto:
        found = await self.commands.get(command.command_id)
        found.cancel(self.context.principal.id, self.clock.now())
        await self.commands.save(found)
        return self.mapper.map(found, CommandDto)
