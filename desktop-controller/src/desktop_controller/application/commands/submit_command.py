"""Asking for a command to be run on the host."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import JsonValue

from desktop_controller.application.allow_list import AllowList
from desktop_controller.application.command_runner import CommandRunner
from desktop_controller.domain.events.host_commands import CommandRequested
from desktop_controller.domain.models.host_command import HostCommand
from desktop_controller.integration.models.commands import CommandDto
from desktop_controller.integration.ports import Redactor
from neuroglia.core import Ids, RequestContext, TooManyRequests
from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Command, CommandHandler

_LATER_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class SubmitCommand(Command[CommandDto]):
    """Asks for an allowed command to be run. `timeout_seconds` may shorten the time that the catalogue gives it."""

    command: str
    arguments: Mapping[str, JsonValue]
    justification: str | None = None
    timeout_seconds: float | None = None


class SubmitCommandHandler(CommandHandler[SubmitCommand, CommandDto]):
    def __init__(
        self,
        commands: Repository[HostCommand],
        allowed: AllowList,
        redactor: Redactor,
        runner: CommandRunner,
        context: RequestContext,
        ids: Ids,
        mapper: Mapper,
    ) -> None:
        self.commands = commands
        self.allowed = allowed
        self.redactor = redactor
        self.runner = runner
        self.context = context
        self.ids = ids
        self.mapper = mapper

    async def handle(self, command: SubmitCommand) -> CommandDto:
        entry, arguments = self.allowed.check(command.command, command.arguments)
        turns = self.runner.turns_of(entry.name)
        if turns.is_full:
            raise TooManyRequests("Too many commands wait for their turn.", retry_after=_LATER_S)
        why = command.justification
        request = CommandRequested(
            command=entry.name,
            arguments=arguments,
            timeout_seconds=min(command.timeout_seconds or entry.timeout_seconds, entry.timeout_seconds),
            justification=None if why is None else self.redactor.text(why),
            requested_by=self.context.principal.id,
            version=entry.version,
            sha256=entry.sha256,
        )
        host_command = HostCommand.request(self.ids.new(), request)
        with turns.admit() as admission:
            envelopes = await self.commands.save(host_command)
            admission.position = envelopes[-1].position
        return self.mapper.map(host_command, CommandDto)
