"""What is shown of the host and of who sits at it."""

from datetime import datetime

from pydantic import BaseModel

from desktop_controller.domain.models.host import HostState as HostState


class HostDto(BaseModel):
    """A host as it stands. `state` is `locked` while it is locked, whatever goes on below that."""

    desktop_id: str
    desktop_name: str
    host_ip_address: str | None = None
    state: HostState
    is_locked: bool
    created_at: datetime
    last_modified: datetime
    version: int


class UserDto(BaseModel):
    """Who sits at the desktop."""

    candidate_name: str
    session_id: str | None = None
    last_modified: datetime
    version: int
