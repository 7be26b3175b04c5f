"""From a URL to the host. The scheme decides; its library is imported only when it is used."""

import sys
from pathlib import Path
from urllib.parse import urlsplit

from desktop_controller.integration.ports import Executor, ManagedFiles
from desktop_controller.integration.repositories.local_files import LocalFiles
from neuroglia.core.errors import ConfigurationError


def connect_executor(url: str) -> Executor:
    """The executor of a URL. Nothing is connected yet.

    Raises:
        ConfigurationError: no executor has this scheme, or the URL does not say what it needs.
    """
    match urlsplit(url).scheme:
        case "local":
            from desktop_controller.integration.clients.local import LocalExecutor

            if url != "local://":
                raise ConfigurationError("HOST_EXECUTOR_URL: local:// takes nothing more; write local://")
            if not sys.platform.startswith("linux"):
                raise ConfigurationError("HOST_EXECUTOR_URL: local:// needs Linux; use ssh:// to a host that has it")
            return LocalExecutor()
        case "ssh":
            from desktop_controller.integration.clients.ssh import SshExecutor
            from desktop_controller.integration.clients.ssh_host import SshHost

            return SshExecutor(SshHost.of(url))
        case "docker":
            from desktop_controller.integration.clients.docker import DockerExecutor
            from desktop_controller.integration.clients.sandbox import Sandbox

            return DockerExecutor(Sandbox.of(url))
        case scheme:
            raise ConfigurationError(
                f"HOST_EXECUTOR_URL: no executor is known for '{scheme}://'; "
                "use local://, ssh://user@host:22?key=…&known_hosts=… or docker://image?network=none"
            )


def connect_files(url: str, folder: str) -> ManagedFiles:
    """The files below a folder of the host where an executor's programs run. A container has none of its own: with
    `docker://` the folder is the controller's.

    Raises:
        ConfigurationError: the URL does not say what it needs.
    """
    if urlsplit(url).scheme != "ssh":
        return LocalFiles(Path(folder))
    from desktop_controller.integration.clients.ssh_host import SshHost
    from desktop_controller.integration.repositories.sftp_files import SftpFiles

    return SftpFiles(SshHost.of(url), folder)


def is_here(url: str) -> bool:
    """Whether an executor's programs see the same files as the controller: only then can links in paths be followed."""
    return urlsplit(url).scheme == "local"
