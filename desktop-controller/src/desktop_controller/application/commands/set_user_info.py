"""Saying who sits at the desktop."""

from dataclasses import dataclass

from desktop_controller.domain.models.desktop_user import THE_USER, DesktopUser
from desktop_controller.integration.models.host import UserDto
from neuroglia.core import Clock, NotFoundError
from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Command, CommandHandler


@dataclass(frozen=True, slots=True)
class SetUserInfo(Command[UserDto]):
    """Names the user, in place of whoever was there before."""

    candidate_name: str
    session_id: str | None


class SetUserInfoHandler(CommandHandler[SetUserInfo, UserDto]):
    def __init__(self, users: Repository[DesktopUser], clock: Clock, mapper: Mapper) -> None:
        self.users = users
        self.clock = clock
        self.mapper = mapper

    async def handle(self, command: SetUserInfo) -> UserDto:
        user = DesktopUser(
            candidate_name=command.candidate_name,
            session_id=command.session_id,
            last_modified=self.clock.now(),
            version=await self._version(),
        )
        await self.users.save(user)
        return self.mapper.map(user, UserDto)

    async def _version(self) -> int:
        try:
            return (await self.users.get(THE_USER)).version
        except NotFoundError:
            return 0
