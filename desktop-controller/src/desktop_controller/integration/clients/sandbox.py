"""What a container may do, and whose it is."""

import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import parse_qsl, urlsplit

from desktop_controller.integration.clients.docker_engine import Options
from neuroglia.core.errors import ConfigurationError

COMMAND: Final = "io.neuroglia.desktop-controller.command"
CONTROLLER: Final = "io.neuroglia.desktop-controller.controller"
_USAGE: Final = "write docker://image?network=none&memory=256m&cpus=1&pids=64&user=65534:65534&controller=name"
_FORMS: Final = {
    "network": r"[A-Za-z0-9][A-Za-z0-9_.-]*",
    "memory": r"[1-9][0-9]*[kmg]",
    "cpus": r"[0-9]{1,3}(\.[0-9]{1,3})?",
    "pids": r"[1-9][0-9]{0,5}",
    "user": r"[1-9][0-9]*(:[0-9]+)?",
    "controller": r"[A-Za-z0-9_.-]+",
}
"""A user is told by number: what a name stands for, the image decides."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A throw-away container: not root, nothing to write to, no capabilities and none to be got, bounded in all that it
    uses. Of what it prints nothing is kept by the engine."""

    image: str
    network: str = "none"
    memory: str = "256m"
    cpus: str = "1"
    pids: str = "64"
    user: str = "65534:65534"
    controller: str = ""
    """By this name we know again what an earlier process of ours has left. By default it is the machine's."""

    @classmethod
    def of(cls, url: str) -> Self:
        """The sandbox of a URL.

        Raises:
            ConfigurationError: it does not say what is needed, or what is not allowed.
        """
        parts = urlsplit(url)
        given = parse_qsl(parts.query, keep_blank_values=True)
        options = dict(given)
        image = parts.netloc + parts.path
        if not image or parts.fragment:
            raise ConfigurationError(f"HOST_EXECUTOR_URL: the image is missing; {_USAGE}")
        if len(given) > len(options) or not options.keys() <= _FORMS.keys():
            raise ConfigurationError(f"HOST_EXECUTOR_URL: there is an option that is unknown or there twice; {_USAGE}")
        for name, value in options.items():
            if not re.fullmatch(_FORMS[name], value):
                raise ConfigurationError(f"HOST_EXECUTOR_URL: {name}={value} cannot be, or is not allowed; {_USAGE}")
        options.setdefault("controller", socket.gethostname())
        return cls(image, **options)

    def options(self, command_id: str, argv: Sequence[str]) -> Options:
        """For the engine. The program takes the place of the image's own, under an init process: signals reach it."""
        return {
            "entrypoint": list(argv),
            "labels": {COMMAND: command_id, CONTROLLER: self.controller},
            "init": True,
            "user": self.user,
            "read_only": True,
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true"],
            "network_mode": self.network,
            "mem_limit": self.memory,
            "memswap_limit": self.memory,
            "nano_cpus": int(float(self.cpus) * 1_000_000_000),
            "pids_limit": int(self.pids),
            "log_config": {"type": "none"},
        }
