"""What the Desktop Controller can be told. See the README for the list."""

import socket
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from neuroglia.hosting import ServiceSettings


class DesktopControllerSettings(ServiceSettings):
    """The common settings, and what bounds this controller."""

    service: ClassVar[str] = "desktop-controller"
    title: ClassVar[str] = "Desktop Controller"

    port: int = 8082
    commands_file: Path = Path("commands.toml")
    """The catalogue: what is not in it cannot be run."""
    host_executor_url: str = "local://"
    managed_folder: str = "{DATA_DIR}/files"
    max_concurrent_commands: int = Field(default=4, ge=1)
    max_waiting_commands: int = Field(default=100, ge=1)
    lock_command: str = "lock"
    unlock_command: str = "unlock"
    desktop_id: str = Field(default_factory=socket.gethostname, min_length=1, max_length=64)
    """What the desktop is called until somebody says otherwise."""
    registration_interval: float = Field(default=30.0, gt=0)
    """Seconds between one request to be registered and the next."""
    heartbeat_interval: float = Field(default=30.0, gt=0)
    """Seconds between heartbeats, once registered."""
