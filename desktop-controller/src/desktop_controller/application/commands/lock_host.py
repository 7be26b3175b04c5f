"""Locking the host."""

from dataclasses import dataclass

from desktop_controller.application.host_lock import HostLock
from desktop_controller.integration.models.host import HostDto
from neuroglia.mediation import Command, CommandHandler


@dataclass(frozen=True, slots=True)
class LockHost(Command[HostDto]):
    """Runs what locks the host. Its state changes when that has succeeded."""


class LockHostHandler(CommandHandler[LockHost, HostDto]):
    def __init__(self, host: HostLock) -> None:
        self.host = host

    async def handle(self, _: LockHost) -> HostDto:
        return await self.host.lock()
