"""Saying which desktop this is."""

from dataclasses import dataclass

from desktop_controller.domain.models.host import THE_HOST, Host
from desktop_controller.integration.models.host import HostDto
from neuroglia.core import Clock
from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Command, CommandHandler


@dataclass(frozen=True, slots=True)
class SetHostInfo(Command[HostDto]):
    """Names the desktop. Its state goes its own way."""

    desktop_id: str
    desktop_name: str
    host_ip_address: str | None


class SetHostInfoHandler(CommandHandler[SetHostInfo, HostDto]):
    def __init__(self, hosts: Repository[Host], clock: Clock, mapper: Mapper) -> None:
        self.hosts = hosts
        self.clock = clock
        self.mapper = mapper

    async def handle(self, command: SetHostInfo) -> HostDto:
        host = await self.hosts.get(THE_HOST)
        host.describe(command.desktop_id, command.desktop_name, command.host_ip_address, self.clock.now())
        await self.hosts.save(host)
        return self.mapper.map(host, HostDto)
