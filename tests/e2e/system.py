"""The whole system in containers, as `docker-compose.yml` says, in a project of its own."""

import json
import os
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import httpx
from docker import DockerClient
from docker.errors import NotFound
from docker.models.containers import Container
from docker.models.networks import Network
from docker.models.volumes import Volume
from typing_extensions import override

from deployment import environment
from deployment.demo.identities import CLIENTS
from deployment.issuer.process import RunningIssuer
from deployment.processes import free_port, until
from tests.support.containers import docker_engine, lives, missing
from tests.support.containers.images import PYTHON_IMAGE

ROOT: Final = Path(__file__).parents[2]
SAMPLES: Final = {"openbank": 8081, "desktop-controller": 8082, "api-gateway": 8083}
SERVICES: Final = {**SAMPLES, "viewer": 8084, "agent": 8091, "keycloak": 8080, "eventstore": 2113, "mongo": 27017}
TELEMETRY: Final = {"COMPOSE_PROFILES": "telemetry", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://telemetry:4318"}
"""What README.md says to write into `.env` for traces and metrics."""
START_S: Final = 180.0
_PORTS: Final = (
    "OPENBANK_PORT", "DESKTOP_PORT", "GATEWAY_PORT", "VIEWER_PORT", "AGENT_PORT", "KEYCLOAK_PORT", "EVENTSTORE_PORT",
    "GRAFANA_PORT", "OPENBANK_DEBUG_PORT", "DESKTOP_DEBUG_PORT", "GATEWAY_DEBUG_PORT",
)  # fmt: skip
_NAME: Final = "neuroglia-e2e"
_PROJECT: Final = "com.docker.compose.project"
_SERVICE: Final = "com.docker.compose.service"
_KILL_MAIN: Final = """
import os, signal, pathlib
for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
    if status.read_text().rpartition(")")[2].split()[1] == "1":
        os.kill(int(status.parent.name), signal.SIGKILL)
"""
"""Ends what the container's init has started, by nobody's order: Docker takes that for a death, and starts it anew."""


def files(*overrides: str) -> list[Path]:
    """The compose file with these overrides."""
    names = ["docker-compose.yml", *(f"deployment/compose.{name}.yml" for name in overrides)]
    return [ROOT / name for name in names]


def write_environment(file: Path, **more: str) -> Mapping[str, str]:
    """A file as `make env` writes it, with ports that are free and whatever is told besides."""
    environment.write(file)
    told = {name: str(free_port()) for name in _PORTS} | ({"PYTHON_IMAGE": PYTHON_IMAGE} if PYTHON_IMAGE else {}) | more
    with file.open("a") as out:
        out.writelines(f"{name}={value}\n" for name, value in told.items())
    return environment.read(file)


class Realm(RunningIssuer):
    """The realm, whose client `demo` plays all parts of the stories: it asks for what each may do."""

    @override
    def token(self, client: str, scope: str | None = None) -> str:
        return super().token("demo", scope or " ".join(CLIENTS[client]))


class System:
    """A project of docker compose: where its services are, and what can be done to them."""

    def __init__(
        self, engine: DockerClient, project: str, folder: Path, overrides: Sequence[str], told: Mapping[str, str]
    ) -> None:
        bridge = engine.networks.get("bridge").attrs["IPAM"]["Config"][0]["Gateway"]
        self.host: str = bridge
        """An address of this machine at which containers reach it."""
        with socket.socket() as probe:
            try:
                probe.bind((bridge, 0))
            except OSError:
                missing("the engine does not run on this machine itself: containers cannot call the tests back")
        self.engine = engine
        self.project = project
        self.files = files(*overrides)
        self.environment = folder / ".env"
        self.told = write_environment(
            self.environment,
            OUTGOING_ALLOW_HTTP="true", OUTGOING_PORTS="1024-65535", OUTGOING_ALLOWED_NETWORKS=f"{bridge}/32", **told,
        )  # fmt: skip

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment of commands that call docker compose: the project, and nothing that its `.env` says."""
        known = {name: value for name, value in os.environ.items() if name not in self.told}
        return {**known, "COMPOSE_PROJECT_NAME": self.project, "COMPOSE_FILE": ":".join(map(str, self.files))}

    def compose(self, *arguments: str) -> str:
        """What the command says.

        Raises:
            AssertionError: it did not succeed; with all that it said.
        """
        return self.run("docker", "compose", "--env-file", str(self.environment), *arguments)

    def run(self, *command: str) -> str:
        """The same of another command, which calls docker compose."""
        done = subprocess.run(command, cwd=ROOT, env=self.variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        return done.stdout

    def container(self, service: str) -> Container:
        """The one in which a service runs."""
        (found,) = self.engine.containers.list(
            all=True, filters={"label": [f"{_PROJECT}={self.project}", f"{_SERVICE}={service}"]}
        )
        return found

    def url(self, service: str) -> str:
        """Where a service is, from this machine."""
        inside = {**SERVICES, "telemetry": 3000}[service]
        (bound,) = self.container(service).ports[f"{inside}/tcp"]
        return f"http://{bound['HostIp']}:{bound['HostPort']}"

    @property
    def issuer(self) -> Realm:
        """Who gives out tokens."""
        passwords = {name: self.told[f"{name.upper()}_CLIENT_SECRET"] for name in ("demo", "agent")}
        return Realm(f"http://127.0.0.1:{self.told['KEYCLOAK_PORT']}/realms/neuroglia", passwords)

    def client(self, service: str, scopes: str) -> httpx.Client:
        """Requests to a service with a token for these scopes."""
        headers = {"Authorization": f"Bearer {self.issuer.token('demo', scopes)}"}
        return httpx.Client(base_url=self.url(service), headers=headers, timeout=30)

    def is_healthy(self, service: str) -> bool:
        """Whether the engine says so."""
        return bool(self.container(service).attrs["State"].get("Health", {}).get("Status") == "healthy")

    def kill(self, service: str) -> None:
        """Ends a sample like a power cut. Returns once it is gone; the engine starts it anew."""
        container = self.container(service)
        begun = container.attrs["State"]["StartedAt"]
        container.exec_run(["python", "-c", _KILL_MAIN])
        until(lambda: self._started(service) != begun, f"{service} to be gone", START_S)

    def until_healthy(self, service: str) -> None:
        """Returns once it is."""
        until(lambda: self.is_healthy(service), f"{service} to be healthy", START_S)

    def rests(self) -> list[str]:
        """What there is of the project: containers, networks, volumes."""
        of_it = {"label": f"{_PROJECT}={self.project}"}
        return [str(one.attrs.get("Name", one.id)) for one in _all(self.engine, of_it)]

    def mounted(self) -> set[str]:
        """The volumes of its containers, also those that have no name of ours."""
        of_it = {"label": f"{_PROJECT}={self.project}"}
        mounts = [one.attrs["Mounts"] for one in self.engine.containers.list(all=True, filters=of_it)]
        return {mount["Name"] for of_one in mounts for mount in of_one if mount["Type"] == "volume"}

    def events(self, **of: str) -> list[dict[str, Any]]:
        """What the viewer has heard."""
        shown = httpx.get(f"{self.url('viewer')}/events", params={"limit": "1000", **of}, trust_env=False)
        return [dict(one) for one in json.loads(shown.raise_for_status().text)]

    def _started(self, service: str) -> str:
        state = self.container(service).attrs["State"]
        return str(state["StartedAt"]) if state["Running"] else ""


def _all(engine: DockerClient, filters: Mapping[str, str]) -> Sequence[Container | Network | Volume]:
    return [
        *engine.containers.list(all=True, filters=dict(filters)),
        *engine.networks.list(filters=dict(filters)),
        *engine.volumes.list(filters=dict(filters)),
    ]


def _remove_orphans(engine: DockerClient) -> None:
    """Removes what killed test runs have left behind, in an order in which nothing is in use."""
    for one in _all(engine, {"label": _PROJECT}):
        labels = one.attrs.get("Labels") or one.attrs.get("Config", {}).get("Labels") or {}
        name, _, rest = labels[_PROJECT].partition(f"{_NAME}-")
        pid = rest.partition("-")[0]
        if not name and pid.isdecimal() and not lives(int(pid)):
            with suppress(NotFound):
                one.remove(**({"force": True, "v": True} if isinstance(one, Container) else {}))


@contextmanager
def system(folder: Path, *overrides: str, services: Sequence[str] = (), **told: str) -> Iterator[System]:
    """The system, or these of its services, healthy until the end of the block; then nothing of it is left."""
    with prepared(folder, *overrides, **told) as made:
        made.compose("up", "--build", "--detach", "--wait", "--wait-timeout", str(int(START_S)), *services)
        yield made


@contextmanager
def prepared(folder: Path, *overrides: str, **told: str) -> Iterator[System]:
    """The system with this in its `.env`, which is not started yet; at the end of the block nothing of it is left."""
    with docker_engine() as engine:
        _remove_orphans(engine)
        made = System(engine, f"{_NAME}-{os.getpid()}-{free_port()}", folder, overrides, told)
        try:
            yield made
        except AssertionError:
            print(made.compose("ps", "--all"), made.compose("logs", "--no-color", "--tail", "40"))  # noqa: T201
            raise
        finally:
            mounted = made.mounted()
            made.compose("down", "--volumes", "--timeout", "5")
        assert made.rests() == []
        assert not mounted & {volume.name for volume in engine.volumes.list()}
