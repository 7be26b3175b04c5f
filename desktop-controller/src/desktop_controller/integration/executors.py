"""From a URL to an executor. The scheme decides; its library is imported only when it is used."""

from urllib.parse import urlsplit

from desktop_controller.integration.ports import Executor
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
