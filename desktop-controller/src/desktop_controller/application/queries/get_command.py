"""One command."""

from dataclasses import dataclass

from desktop_controller.domain.models.host_command import HostCommand
from desktop_controller.integration.models.commands import CommandDto
from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Query, QueryHandler


@dataclass(frozen=True, slots=True)
class GetCommand(Query[CommandDto]):
    """One command as it is now."""

    command_id: str


class GetCommandHandler(QueryHandler[GetCommand, CommandDto]):
    """Asks the events themselves: they are few, and who has requested a command follows it from the first moment."""

    def __init__(self, commands: Repository[HostCommand], mapper: Mapper) -> None:
        self.commands = commands
        self.mapper = mapper

    async def handle(self, query: GetCommand) -> CommandDto:
        return self.mapper.map(await self.commands.get(query.command_id), CommandDto)
