"""The part of the Docker SDK that we use, with types."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Final, Protocol, TypedDict, cast

import docker  # type: ignore[import-untyped]
import requests
from docker.errors import DockerException, ImageNotFound, NotFound  # type: ignore[import-untyped]
from docker.utils.socket import STDERR, frames_iter  # type: ignore[import-untyped]

from desktop_controller.integration.ports import CannotExecute
from neuroglia.core.errors import Unavailable

_CALL_S: Final = 20
"""No call takes longer, but for those that follow a container."""


class Options(TypedDict):
    """What a container is made with."""

    entrypoint: list[str]
    labels: dict[str, str]
    init: bool
    user: str
    read_only: bool
    cap_drop: list[str]
    security_opt: list[str]
    network_mode: str
    mem_limit: str
    memswap_limit: str
    nano_cpus: int
    pids_limit: int
    log_config: dict[str, str]


class Container(Protocol):
    """One of them. All calls block."""

    labels: Mapping[str, str]

    def start(self) -> None: ...
    def stop(self, *, timeout: int) -> None: ...
    def remove(self, *, force: bool, v: bool) -> None: ...
    def wait(self, *, timeout: float | None) -> Mapping[str, int]: ...
    def attach_socket(self, *, params: Mapping[str, int]) -> "Attachment": ...


class Closable(Protocol):
    """What can be closed."""

    def close(self) -> None: ...


class Attachment(Closable, Protocol):
    """A connection on which a container's streams come."""

    _response: Closable


class Containers(Protocol):
    """All of them."""

    def create(self, image: str, **options: object) -> Container: ...
    def list(self, *, all: bool, filters: Mapping[str, Sequence[str]]) -> Sequence[Container]: ...  # noqa: A002


class Engine(Protocol):
    """The engine that DOCKER_HOST names, or this machine's."""

    containers: Containers

    def close(self) -> None: ...


@contextmanager
def docker_engine() -> Generator[Engine]:
    """A connection to it, for one thread.

    Raises:
        CannotExecute: an image is not there.
        Unavailable: the engine does not answer, or refuses.
    """
    try:
        with closing(cast("Engine", docker.from_env(timeout=_CALL_S))) as engine:  # pyright: ignore[reportUnknownMemberType]
            yield engine
    except ImageNotFound as error:
        raise CannotExecute("The image for programs is not there: pull it.") from error
    except (DockerException, requests.RequestException, OSError) as error:
        raise Unavailable("The Docker engine does not answer, or refuses.") from error


@contextmanager
def attached(container: Container) -> Generator[Iterator[tuple[bytes, bytes]]]:
    """What a container prints from now on, in pieces: (stdout, stderr), one of them empty."""
    attachment = container.attach_socket(params={"stdout": 1, "stderr": 1, "stream": 1})
    try:
        frames = cast("Iterator[tuple[int, bytes]]", frames_iter(attachment, tty=False))
        yield ((b"", data) if stream == STDERR else (data, b"") for stream, data in frames)
    finally:
        # The SDK itself never closes it.
        attachment._response.close()  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        attachment.close()


def remove(container: Container) -> None:
    """Removes it, whatever it does; that somebody else has is as good."""
    with suppress(NotFound):
        container.remove(force=True, v=True)
