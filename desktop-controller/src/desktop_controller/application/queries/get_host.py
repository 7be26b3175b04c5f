"""The host."""

from dataclasses import dataclass

from desktop_controller.domain.models.host import THE_HOST, Host
from desktop_controller.integration.models.host import HostDto
from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Query, QueryHandler


@dataclass(frozen=True, slots=True)
class GetHost(Query[HostDto]):
    """Which desktop this is, and what it is ready for."""


class GetHostHandler(QueryHandler[GetHost, HostDto]):
    def __init__(self, hosts: Repository[Host], mapper: Mapper) -> None:
        self.hosts = hosts
        self.mapper = mapper

    async def handle(self, _: GetHost) -> HostDto:
        return self.mapper.map(await self.hosts.get(THE_HOST), HostDto)
