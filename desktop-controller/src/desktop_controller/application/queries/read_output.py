"""A command's output."""

from dataclasses import dataclass

from desktop_controller.domain.models.host_command import HostCommand
from desktop_controller.integration.ports import Outputs
from neuroglia.core import NotFoundError
from neuroglia.domain import Repository
from neuroglia.mediation import Query, QueryHandler


@dataclass(frozen=True, slots=True)
class ReadOutput(Query[bytes]):
    """All that was captured so far. Of a command that has written nothing yet that is nothing."""

    command_id: str


class ReadOutputHandler(QueryHandler[ReadOutput, bytes]):
    def __init__(self, commands: Repository[HostCommand], outputs: Outputs) -> None:
        self.commands = commands
        self.outputs = outputs

    async def handle(self, query: ReadOutput) -> bytes:
        command = await self.commands.get(query.command_id)  # first: an id of somebody's choice is no file name
        try:
            return await self.outputs.read(command.id)
        except NotFoundError:
            return b""
