"""The user."""

from dataclasses import dataclass

from desktop_controller.domain.models.desktop_user import THE_USER, DesktopUser
from desktop_controller.integration.models.host import UserDto
from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Query, QueryHandler


@dataclass(frozen=True, slots=True)
class GetUser(Query[UserDto]):
    """Who sits at the desktop, if somebody has said so."""


class GetUserHandler(QueryHandler[GetUser, UserDto]):
    def __init__(self, users: Repository[DesktopUser], mapper: Mapper) -> None:
        self.users = users
        self.mapper = mapper

    async def handle(self, _: GetUser) -> UserDto:
        return self.mapper.map(await self.users.get(THE_USER), UserDto)
