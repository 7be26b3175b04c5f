"""The real servers, each in a container that is gone when its block ends: for `pytest -m containers`.

`EVENTSTOREDB_IMAGE`, `MONGO_IMAGE` and `KEYCLOAK_IMAGE` name other images. Where there is no Docker engine, or an image
is not there and cannot be pulled, the tests that wanted it are skipped and say so; with `REQUIRE_DOCKER=1` they fail.
"""

import gc
import os
import secrets
import socket
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Final, NoReturn

import docker
import pymongo
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from docker.models.containers import Container
from esdbclient import EventStoreDBClient
from esdbclient.exceptions import EventStoreDBClientException
from testcontainers.core.config import ConnectionMode, testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.wait_strategies import HttpWaitStrategy, LogMessageWaitStrategy
from testcontainers.core.waiting_utils import WaitStrategy

from deployment.issuer.process import RunningIssuer
from deployment.processes import until
from tests.support.machine import not_here

DEFAULT_EVENTSTOREDB: Final = "eventstore/eventstore:24.10"
DEFAULT_MONGO: Final = "mongo:8"
DEFAULT_KEYCLOAK: Final = "quay.io/keycloak/keycloak:26.4"
EVENTSTOREDB_IMAGE: Final = os.environ.get("EVENTSTOREDB_IMAGE", DEFAULT_EVENTSTOREDB)
MONGO_IMAGE: Final = os.environ.get("MONGO_IMAGE", DEFAULT_MONGO)
KEYCLOAK_IMAGE: Final = os.environ.get("KEYCLOAK_IMAGE", DEFAULT_KEYCLOAK)
_LOOPBACK: Final = "127.0.0.1"
_OWNER: Final = "neuroglia.tests.owner"
_START_S: Final = 90
_REALM: Final = Path(__file__).parents[3] / "deployment/keycloak/realm.json"

# The library's own helper that removes containers would be one more image to pull: see `_remove_orphans`.
testcontainers_config.ryuk_disabled = True
testcontainers_config.connection_mode_override = ConnectionMode.docker_host
testcontainers_config.tc_host_override = _LOOPBACK


@contextmanager
def eventstoredb_container() -> Iterator[str]:
    """A single node without TLS, with the system's projections running. Gives its URL."""
    live = HttpWaitStrategy(2113, "/health/live").for_status_code(204)
    settings = {
        "EVENTSTORE_INSECURE": "true",
        "EVENTSTORE_CLUSTER_SIZE": "1",
        "EVENTSTORE_RUN_PROJECTIONS": "All",
        "EVENTSTORE_START_STANDARD_PROJECTIONS": "true",
        "EVENTSTORE_ENABLE_ATOM_PUB_OVER_HTTP": "true",
    }
    with _container(EVENTSTOREDB_IMAGE, 2113, live, env=settings) as port:
        url = f"esdb://{_LOOPBACK}:{port}?tls=false"
        with closing(EventStoreDBClient(url)) as client:
            until(lambda: _leads(client), "the node to lead", _START_S)
        yield url


@contextmanager
def mongo_container() -> Iterator[str]:
    """A replica set of one node, which has to be reached directly: it knows itself by its address inside."""
    listens = LogMessageWaitStrategy("Waiting for connections")
    with _container(MONGO_IMAGE, 27017, listens, command="--replSet rs0 --bind_ip_all") as port:
        url = f"mongodb://{_LOOPBACK}:{port}/?directConnection=true"
        with pymongo.MongoClient[dict[str, Any]](url) as client:
            if "setName" not in client.admin.command("hello"):
                members = [{"_id": 0, "host": f"{_LOOPBACK}:27017"}]
                client.admin.command("replSetInitiate", {"_id": "rs0", "members": members})
            until(lambda: client.admin.command("hello")["isWritablePrimary"], "the node to be primary", _START_S)
        yield url


@contextmanager
def keycloak_container() -> Iterator[RunningIssuer]:
    """Keycloak with the realm of this repository; nobody else knows its clients' secrets."""
    passwords = {client: secrets.token_urlsafe(32) for client in ("demo", "agent")}
    people = {f"{name}_PASSWORD": secrets.token_urlsafe(32) for name in ("TESS", "OTTO", "ADA")}
    told = {f"{client.upper()}_CLIENT_SECRET": password for client, password in passwords.items()}
    realm = "/realms/neuroglia"
    described = HttpWaitStrategy(8080, f"{realm}/.well-known/openid-configuration").for_status_code(200)
    with _container(
        KEYCLOAK_IMAGE, 8080, described, command="start-dev --import-realm",
        env={**told, **people, "ADA_PERSON_ID": "7"},
        volumes=[(str(_REALM.parent), "/opt/keycloak/data/import", "ro")],
    ) as port:  # fmt: skip
        yield RunningIssuer(f"http://{_LOOPBACK}:{port}{realm}", passwords)


@contextmanager
def sample_container(image: str, port: int, **options: Any) -> Iterator[tuple[str, Container]]:
    """A sample in its image, which is live. Gives its URL, and the container."""
    live = HttpWaitStrategy(port, "/health/live").for_status_code(200)
    with _started(image, port, live, **options) as container:
        yield f"http://{_LOOPBACK}:{container.get_exposed_port(port)}", container.get_wrapped_container()


@contextmanager
def docker_engine() -> Iterator[docker.DockerClient]:
    """The engine of this machine, or a skipped test where there is none."""
    with closing(_connected()) as engine:
        if not engine.api.base_url.startswith("http+docker:"):  # the ports are bound to the engine's loopback interface
            missing(f"there is no Docker engine on this machine: DOCKER_HOST is {engine.api.base_url}")
        yield engine


def _connected() -> docker.DockerClient:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the client forgets a socket that finds nobody
        try:
            return docker.from_env()
        except DockerException as error:
            reason = str(error)
        gc.collect()
    return missing(f"there is no Docker engine: {reason}")


def require_image(image: str) -> None:
    """Skips the test if the image is not here and cannot be pulled."""
    with docker_engine() as engine:
        try:
            engine.images.get(image)
        except ImageNotFound:
            try:
                engine.images.pull(image)
            except APIError as error:  # also when the registry cannot be reached
                missing(f"the image {image} is not here and cannot be pulled: {error.explanation}")


def missing(what: str) -> NoReturn:
    """Skips the test that needs it, or fails it with `REQUIRE_DOCKER=1`."""
    not_here(what, "REQUIRE_DOCKER")


@contextmanager
def _container(image: str, port: int, ready: WaitStrategy, **options: Any) -> Iterator[int]:
    """Starts a container. Gives the port of the loopback interface at which it takes calls."""
    require_image(image)
    with _started(image, port, ready, **options) as container:
        yield container.get_exposed_port(port)


@contextmanager
def _started(image: str, port: int, ready: WaitStrategy, **options: Any) -> Iterator[DockerContainer]:
    _remove_orphans()
    container = DockerContainer(image, labels={_OWNER: f"{socket.gethostname()}:{os.getpid()}"}, **options)
    ports: dict[str, Any] = container.ports
    ports[f"{port}/tcp"] = (_LOOPBACK, None)  # any free one
    with container.waiting_for(ready.with_startup_timeout(_START_S)):
        yield container


def _remove_orphans() -> None:
    """Removes what killed test runs of this machine have left behind."""
    with docker_engine() as engine:
        for container in engine.containers.list(all=True, filters={"label": _OWNER}):
            host, _, pid = container.labels[_OWNER].rpartition(":")
            if host == socket.gethostname() and not lives(int(pid)):
                with suppress(NotFound):
                    container.remove(force=True, v=True)


def lives(pid: int) -> bool:
    """Whether there is such a process on this machine."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _leads(client: EventStoreDBClient) -> bool:
    """Whether it takes calls that only a leader takes. It is alive a moment before."""
    try:
        client.get_commit_position()
    except EventStoreDBClientException:
        return False
    return True
