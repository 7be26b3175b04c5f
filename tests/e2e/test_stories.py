"""The demo's stories, played against the containers; and what the demo does not tell."""

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployment.agent.process import RunningAgent
from deployment.demo import gateway_story, openbank_story
from deployment.demo.gateway_story import Neighbours
from deployment.demo.narrator import Narrator
from deployment.demo.packages import offering
from deployment.demo.receiver import receiving
from deployment.processes import until
from tests.e2e.system import ROOT, START_S, System

pytestmark = pytest.mark.e2e
LIMIT_S = 60.0


class Viewer:
    """The viewer as somebody who listens."""

    def __init__(self, running: System) -> None:
        self.url = running.url("viewer")
        self._running = running

    @property
    def heard(self) -> Sequence[dict[str, Any]]:
        return self._running.events()


@pytest.fixture
def narrator() -> Iterator[Narrator]:
    with closing(Narrator()) as found:
        yield found


@pytest.fixture
def callers() -> Iterator[ExitStack]:
    with ExitStack() as servers:
        yield servers


def test_the_banks_story_with_a_kill_in_it(running: System, narrator: Narrator, tmp_path: Path) -> None:
    narrator.connect(running.url("openbank"))

    def kill_and_start() -> None:
        running.kill("openbank")
        running.until_healthy("openbank")
        until(has_caught_up, "its read models to have caught up, as the demo waits for, too", START_S)

    def has_caught_up() -> bool:
        """MongoDB keeps from it for a while what the open transaction of the dead one has changed."""
        return bool(httpx.get(f"{running.url('openbank')}/health/ready").json()["status"] == "ready")

    openbank_story.tell(narrator, running.issuer, Viewer(running), kill_and_start, tmp_path)

    assert narrator.requests > 30


def test_the_gateways_story_with_a_kill_in_it(running: System, narrator: Narrator, callers: ExitStack) -> None:
    narrator.connect(running.url("api-gateway"))
    receiver, shelf = callers.enter_context(receiving(running.host)), callers.enter_context(offering(running.host))
    agent = RunningAgent(running.url("agent"))
    around = Neighbours(running.issuer, agent, Viewer(running), receiver, shelf)

    gateway_story.tell(
        narrator, around, lambda: running.kill("api-gateway"), lambda: running.until_healthy("api-gateway")
    )

    assert narrator.requests > 20
    assert receiver.refused == 0


def test_a_desktop_is_registered_runs_a_command_and_remembers_it_after_a_kill(running: System) -> None:
    scopes = "desktop:read desktop:write desktop:execute events:write"
    asked = "desktop.registration-requested.v1"
    until(lambda: bool(running.events(type=asked)), "the desktop to ask to be registered", LIMIT_S)
    with running.client("desktop-controller", scopes) as desktop:
        registered = {
            "specversion": "1.0", "id": "1", "source": "/e2e", "type": "desktop.registration-completed.v1",
            "data": {"desktop_id": desktop.get("/api/v1/host/info").json()["desktop_id"]},
        }  # fmt: skip
        headers = {"content-type": "application/cloudevents+json"}
        assert desktop.post("/api/v1/cloudevents", json=registered, headers=headers).status_code == 202
        until(lambda: desktop.get("/api/v1/host/info").json()["state"] == "ready", "the host to be ready", LIMIT_S)

        greeting = {"command": "greet", "arguments": {"name": "$(id); Ada"}, "justification": "e2e"}
        done = desktop.post("/api/v1/commands", json=greeting, headers={"Prefer": "wait=20"})
        command = done.json()
        assert (done.status_code, command["status"]) == (200, "succeeded")
        assert command["stdout"] == "Hello, $(id); Ada\n"
        assert desktop.post("/api/v1/commands", json={"command": "reboot", "arguments": {}}).status_code == 422
        assert desktop.post("/api/v1/host/lock").json()["is_locked"] is True
        assert desktop.post("/api/v1/host/unlock").json()["is_locked"] is False
        assert desktop.put("/api/v1/files/notes.txt", content=b"All is well.\n").status_code == 200
        waiting = desktop.post("/api/v1/commands", json={"command": "wait", "arguments": {"seconds": 60}})
        its = f"/api/v1/commands/{waiting.json()['id']}"
        until(lambda: desktop.get(its).json()["status"] == "running", "the command to run", LIMIT_S)

        running.kill("desktop-controller")
        running.until_healthy("desktop-controller")

        assert desktop.get(f"/api/v1/commands/{command['id']}").json() == command
        assert desktop.get("/api/v1/files/notes.txt").content == b"All is well.\n"
        until(lambda: desktop.get(its).json()["status"] == "failed", "the interrupted command to have failed", LIMIT_S)
    ends = {f"desktop.command-{end}.v1" for end in ("received", "executed", "failed")}
    until(lambda: ends <= {one["type"] for one in running.events()}, "all of it to be told", LIMIT_S)


def test_a_page_of_the_documentation_finds_the_login_where_a_browser_reaches_it(running: System) -> None:
    for service in ("openbank", "desktop-controller", "api-gateway"):
        schemes = httpx.get(f"{running.url(service)}/api/openapi.json").json()["components"]["securitySchemes"]
        described = httpx.get(schemes["oauth2"]["openIdConnectUrl"]).raise_for_status().json()
        assert described["issuer"] == running.issuer.url
        assert described["authorization_endpoint"].startswith(running.issuer.url)
        assert described["token_endpoint"].startswith(running.issuer.url)


def test_the_commands_of_the_page_work(running: System) -> None:
    (commands,) = re.findall(r"^```sh\n(set -a;.*?)^```", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    told = commands.replace("./.env", str(running.environment))
    for usual, service in (("8081", "openbank"), ("8090", "keycloak")):
        told = told.replace(f"http://127.0.0.1:{usual}", running.url(service))

    shown = subprocess.run(["bash", "-e", "-c", told], capture_output=True, text=True, check=True)

    assert "items" in json.loads(shown.stdout)


def test_stores_that_are_killed_and_started_again_have_lost_nothing(running: System) -> None:
    with running.client("openbank", "bank:read bank:write") as bank:
        address = {"street": "Inselstrasse", "number": "7", "postal_code": "04103", "city": "Leipzig", "country": "DE"}
        person = {
            "first_name": "Grace", "last_name": "Osei", "nationality": "GH", "date_of_birth": "1988-03-01",
            "address": address,
        }  # fmt: skip
        made = bank.post("/api/v1/persons", json=person)
        assert made.status_code == 201
        running.compose("kill", "eventstore", "mongo")
        running.compose("start", "eventstore", "mongo")
        until(lambda: all(running.is_healthy(one) for one in ("eventstore", "mongo")), "the stores", LIMIT_S)
        path = made.headers["location"]

        until(lambda: bank.get(path).status_code == 200, "the bank to find its customer again", LIMIT_S)

        assert bank.get(path).json()["last_name"] == "Osei"
        until(lambda: running.is_healthy("openbank"), "the bank to be healthy", LIMIT_S)
