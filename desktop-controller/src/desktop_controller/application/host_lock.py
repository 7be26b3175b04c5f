"""Locking and unlocking the host: a command of the catalogue, and what its success means."""

import asyncio
from dataclasses import dataclass

from desktop_controller.application.allow_list import AllowList
from desktop_controller.application.commands.change_host_state import ChangeHostState
from desktop_controller.application.commands.submit_command import SubmitCommand
from desktop_controller.application.persistent import undeterred
from desktop_controller.application.until_final import until_final
from desktop_controller.domain import errors
from desktop_controller.domain.models.host import HostEvent
from desktop_controller.integration.models.commands import CommandStatus
from desktop_controller.integration.models.host import HostDto
from neuroglia.mediation import Mediator


@dataclass(frozen=True, slots=True)
class LockCommands:
    """Which commands of the catalogue lock and unlock this host."""

    lock: str
    unlock: str


class HostLock:
    """Runs the command as any other, so that it stands in the audit trail, and waits for its end.

    It runs whatever the host's state is: a file may say unlocked where somebody has locked the screen by hand. So a
    host can always be unlocked. One after the other, up to the noting of the state: what is noted last is what was done
    last.
    """

    def __init__(self, mediator: Mediator, commands: LockCommands, allowed: AllowList) -> None:
        self.mediator = mediator
        self.commands = commands
        self.allowed = allowed
        self._one_at_a_time = asyncio.Lock()

    async def lock(self) -> HostDto:
        """Locks the host."""
        return await self._turn(self.commands.lock, HostEvent.IS_LOCKED)

    async def unlock(self) -> HostDto:
        """Unlocks it."""
        return await self._turn(self.commands.unlock, HostEvent.IS_UNLOCKED)

    async def _turn(self, name: str, event: HostEvent) -> HostDto:
        if self.allowed.entry(name) is None:
            raise errors.LockUnavailable(name)
        async with self._one_at_a_time:
            command = await self.mediator.execute(SubmitCommand(name, {}))
            ended = await until_final(self.mediator, command.id)
            if ended.status is not CommandStatus.SUCCEEDED:
                raise errors.LockFailed(ended.id, ended.status)
            return await self._note(event)

    @undeterred
    async def _note(self, event: HostEvent) -> HostDto:
        """The screen is as the command has left it: what is kept has to say so."""
        return await self.mediator.execute(ChangeHostState(event))
