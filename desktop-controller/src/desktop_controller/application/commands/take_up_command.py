"""Taking up what was requested."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from desktop_controller.application.allow_list import AllowList
from desktop_controller.domain.models.command_status import CommandStatus
from desktop_controller.domain.models.host_command import HostCommand
from neuroglia.core import Clock, InvalidRequest, NotFoundError
from neuroglia.domain import Repository
from neuroglia.mediation import Command, CommandHandler

_DIED: Final = "The controller died while it ran."
_CHANGED: Final = "The catalogue no longer allows it as it was requested."


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be run, and for how long at most."""

    argv: Sequence[str]
    timeout_seconds: float


@dataclass(frozen=True, slots=True)
class TakeUpCommand(Command[Plan | None]):
    """Stores that a requested command runs, and answers with what is to be run. None: there is nothing to run.

    For the runner, which sends it for commands that it does not run already. So what is `running` was left by a
    controller that died; it is never run again, for nobody knows what it has done.
    """

    command_id: str


class TakeUpCommandHandler(CommandHandler[TakeUpCommand, Plan | None]):
    def __init__(self, commands: Repository[HostCommand], allowed: AllowList, clock: Clock) -> None:
        self.commands = commands
        self.allowed = allowed
        self.clock = clock

    async def handle(self, command: TakeUpCommand) -> Plan | None:
        found = await self.commands.get(command.command_id)
        plan = self._plan(found) if found.status is CommandStatus.REQUESTED else None
        if plan is not None:
            found.start(self.clock.now())
        elif found.status is CommandStatus.REQUESTED:
            found.end(CommandStatus.REJECTED, _CHANGED, self.clock.now())
        elif found.status is CommandStatus.RUNNING:
            found.end(CommandStatus.FAILED, _DIED, self.clock.now())
        await self.commands.save(found)
        return plan

    def _plan(self, found: HostCommand) -> Plan | None:
        """By the very definition that was in force when it was requested, or not at all."""
        entry = self.allowed.entry(found.command)
        if entry is None or entry.sha256 != found.sha256:
            return None
        try:
            argv = self.allowed.catalogue.argv(found.command, dict(found.arguments))
        except (NotFoundError, InvalidRequest):  # a path that was there is gone
            return None
        return Plan([*argv], found.timeout_seconds)
