"""`/host`."""

from pydantic import IPvAnyAddress

from desktop_controller.api.fields import Id, Name, RequestModel
from desktop_controller.application.commands.lock_host import LockHost
from desktop_controller.application.commands.set_host_info import SetHostInfo
from desktop_controller.application.commands.unlock_host import UnlockHost
from desktop_controller.application.queries.get_host import GetHost
from desktop_controller.integration.models.host import HostDto
from neuroglia.mvc import ControllerBase, get, post, put


class HostInfoRequest(RequestModel):
    """Which desktop this is. Its state cannot be sent."""

    desktop_id: Id
    desktop_name: Name
    host_ip_address: IPvAnyAddress | None = None


class HostController(ControllerBase):
    @get("/info", etag="version", scopes=["desktop:read"])
    async def show(self) -> HostDto:
        """Shows which desktop this is, and what it is ready for."""
        return await self.mediator.execute(GetHost())

    @put("/info", etag="version", scopes=["desktop:write"])
    async def describe(self, request: HostInfoRequest) -> HostDto:
        """Says which desktop this is."""
        address = None if request.host_ip_address is None else str(request.host_ip_address)
        return await self.mediator.execute(SetHostInfo(request.desktop_id, request.desktop_name, address))

    @post("/lock", scopes=["desktop:execute"])
    async def lock(self) -> HostDto:
        """Runs the command that locks the host, and answers when that has succeeded."""
        return await self.mediator.execute(LockHost())

    @post("/unlock", scopes=["desktop:execute"])
    async def unlock(self) -> HostDto:
        """Runs the command that unlocks the host, and answers when that has succeeded."""
        return await self.mediator.execute(UnlockHost())
