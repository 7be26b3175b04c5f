"""Something has happened to the host."""

from dataclasses import dataclass

from desktop_controller.domain.models.host import THE_HOST, Host, HostEvent
from desktop_controller.integration.models.host import HostDto
from neuroglia.core import Clock
from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Command, CommandHandler


@dataclass(frozen=True, slots=True)
class ChangeHostState(Command[HostDto]):
    """Lets the host take an event in. For the controller itself: no request names one."""

    event: HostEvent


class ChangeHostStateHandler(CommandHandler[ChangeHostState, HostDto]):
    def __init__(self, hosts: Repository[Host], clock: Clock, mapper: Mapper) -> None:
        self.hosts = hosts
        self.clock = clock
        self.mapper = mapper

    async def handle(self, command: ChangeHostState) -> HostDto:
        host = await self.hosts.get(THE_HOST)
        if host.take_in(command.event, self.clock.now()):
            await self.hosts.save(host)
        return self.mapper.map(host, HostDto)
