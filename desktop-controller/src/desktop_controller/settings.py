"""What the Desktop Controller can be told. See the README for the list."""

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from neuroglia.core import ConfigurationError
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
    """Of the host where commands run, as the next one."""
    host_folder: str = "{DATA_DIR}/host"
    """Where it is kept which desktop this is, and who sits there. Nobody manages files in it."""
    secrets_file: Path | None = None
    """Texts that are never stored or shown, one a line."""
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

    @property
    def secrets(self) -> Sequence[str]:
        """What the secrets file holds.

        Raises:
            ConfigurationError: it cannot be read.
        """
        if self.secrets_file is None:
            return ()
        try:
            return self.secrets_file.read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError):
            raise ConfigurationError(f"SECRETS_FILE: {self.secrets_file} cannot be read; give its path") from None
