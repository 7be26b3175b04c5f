"""Unlocking the host."""

from dataclasses import dataclass

from desktop_controller.application.host_lock import HostLock
from desktop_controller.integration.models.host import HostDto
from neuroglia.mediation import Command, CommandHandler


@dataclass(frozen=True, slots=True)
class UnlockHost(Command[HostDto]):
    """Runs what unlocks the host. Its state changes when that has succeeded."""


class UnlockHostHandler(CommandHandler[UnlockHost, HostDto]):
    def __init__(self, host: HostLock) -> None:
        self.host = host

    async def handle(self, _: UnlockHost) -> HostDto:
        return await self.host.unlock()
