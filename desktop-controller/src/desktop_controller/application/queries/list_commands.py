"""Commands, newest first."""

from dataclasses import dataclass

from desktop_controller.application.projections.command_projection import CommandProjection
from desktop_controller.integration.models.commands import CommandDto, CommandStatus
from neuroglia.core import Page
from neuroglia.documents import Documents, eq
from neuroglia.event_sourcing import reads
from neuroglia.mediation import Query, QueryHandler


@dataclass(frozen=True, slots=True)
class ListCommands(Query[Page[CommandDto]]):
    """A page of all commands: those in one state, or of one name, or both."""

    status: CommandStatus | None
    command: str | None
    limit: int
    cursor: str | None


@reads(CommandProjection)
class ListCommandsHandler(QueryHandler[ListCommands, Page[CommandDto]]):
    def __init__(self, commands: Documents[CommandDto]) -> None:
        self.commands = commands

    async def handle(self, query: ListCommands) -> Page[CommandDto]:
        where = [] if query.status is None else [eq("status", query.status)]
        if query.command is not None:
            where.append(eq("command", query.command))
        return await self.commands.find(*where, order="-requested_at", limit=query.limit, cursor=query.cursor)
