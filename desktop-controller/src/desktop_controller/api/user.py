"""`/user`."""

from desktop_controller.api.fields import Id, Name, RequestModel
from desktop_controller.application.commands.set_user_info import SetUserInfo
from desktop_controller.application.queries.get_user import GetUser
from desktop_controller.integration.models.host import UserDto
from neuroglia.mvc import ControllerBase, get, put


class UserInfoRequest(RequestModel):
    """Who sits at the desktop."""

    candidate_name: Name
    session_id: Id | None = None


class UserController(ControllerBase):
    @get("/info", etag="version", scopes=["desktop:read"])
    async def show(self) -> UserDto:
        """Shows who sits at the desktop."""
        return await self.mediator.execute(GetUser())

    @put("/info", etag="version", scopes=["desktop:write"])
    async def name(self, request: UserInfoRequest) -> UserDto:
        """Says who sits at the desktop."""
        return await self.mediator.execute(SetUserInfo(request.candidate_name, request.session_id))
