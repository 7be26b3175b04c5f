"""The Desktop Controller as a process of its own, on its own machine: real programs, a real socket, signals."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployment.processes import ServiceProcess, serving, until
from desktop_controller.integration.catalogue import TomlCatalogue
from tests.desktop_controller.host.capture import processes
from tests.support.issuer import authorized

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("issuer")]
SAMPLE = Path(__file__).parents[2] / "desktop-controller"
CATALOGUE = """
[commands.say]
description = "Says something, and something else later"
argv = ["sh", "-c", "echo begun; sleep 300 & echo $! > {folder}/child; sleep 300; echo never"]
timeout_seconds = 60
[commands.say.parameters.folder]
type = "enum"
values = ["FOLDER"]
"""

MARKED = """
[commands.greet]
description = "Ends at once"
argv = ["echo", "{mark}"]
timeout_seconds = 10
parameters.mark = { type = "text", pattern = "[a-z0-9_-]+" }

[commands.hang]
description = "Never ends"
argv = ["sh", "-c", "while :; do sleep 1; done", "{mark}"]
timeout_seconds = 60
parameters.mark = { type = "text", pattern = "[a-z0-9_-]+" }
"""


@pytest.fixture
def told(tmp_path: Path) -> dict[str, str]:
    """The settings of a controller with this catalogue."""
    (tmp_path / "commands.toml").write_text(CATALOGUE.replace("FOLDER", str(tmp_path)))
    return {"COMMANDS_FILE": str(tmp_path / "commands.toml"), "LEASE_SECONDS": "0.3"}


@pytest.fixture
def controller(tmp_path: Path, told: dict[str, str]) -> Iterator[ServiceProcess]:
    with serving("desktop_controller", tmp_path, **told) as service:
        yield service


def commands(controller: ServiceProcess) -> httpx.Client:
    return httpx.Client(base_url=f"{controller.url}/api/v1", timeout=20, headers=authorized())


def begin(http: httpx.Client, folder: Path) -> str:
    """A command that runs now, and has started a process of its own."""
    id_ = str(http.post("/commands", json={"command": "say", "arguments": {"folder": str(folder)}}).json()["id"])
    until((folder / "child").exists, "the program to have a child", 10)
    return id_


def is_gone(folder: Path) -> bool:
    """Whether the program's own child has ended."""
    text = (folder / "child").read_text().strip()
    try:
        os.kill(int(text or 1), 0)
    except ProcessLookupError:
        return True
    return "State:\tZ" in Path(f"/proc/{text}/status").read_text()


def test_output_is_seen_while_it_grows_and_a_cancellation_leaves_nothing(
    controller: ServiceProcess, tmp_path: Path
) -> None:
    with commands(controller) as http, commands(controller) as other:
        id_ = begin(http, tmp_path)
        with http.stream("GET", f"/commands/{id_}/output", headers={"Accept": "text/event-stream"}) as stream:
            lines = stream.iter_lines()
            assert json.loads(next(lines).removeprefix("data: ")) == "begun\n"
            assert other.post(f"/commands/{id_}/cancel").status_code == 202
            rest = list(lines)

        assert rest == ["id: 6", "", "event: end", "data: null", "id: 6", ""]
        shown = http.get(f"/commands/{id_}").json()
    assert (shown["status"], shown["stdout"]) == ("cancelled", "begun\n")
    until(lambda: is_gone(tmp_path), "the child to be gone", 5)


def test_given_a_polite_end_then_it_ends_soon_and_takes_all_with_it(tmp_path: Path, told: dict[str, str]) -> None:
    with serving("desktop_controller", tmp_path, **told) as controller, commands(controller) as http:
        id_ = begin(http, tmp_path)
        with http.stream("GET", f"/commands/{id_}/output", headers={"Accept": "text/event-stream"}) as stream:
            next(stream.iter_lines())
            assert controller.terminate() in {0, -signal.SIGTERM}
    until(lambda: is_gone(tmp_path), "the child to be gone", 5)

    assert reason(tmp_path, told, id_) == "The controller was stopped while it ran."


def test_given_a_kill_then_the_next_one_ends_what_is_left_and_tells(tmp_path: Path, told: dict[str, str]) -> None:
    with serving("desktop_controller", tmp_path, **told) as controller, commands(controller) as http:
        id_ = begin(http, tmp_path)
        controller.kill()

    assert reason(tmp_path, told, id_) == "The controller died while it ran."
    until(lambda: is_gone(tmp_path), "the child to be gone", 5)


def test_given_a_kill_while_commands_wait_run_and_have_ended_then_the_audit_trail_of_each_is_complete(
    tmp_path: Path, told: dict[str, str]
) -> None:
    told = {**told, "MAX_CONCURRENT_COMMANDS": "2"}
    (tmp_path / "commands.toml").write_text(CATALOGUE.replace("FOLDER", str(tmp_path)) + MARKED)
    with serving("desktop_controller", tmp_path, **told) as controller, commands(controller) as http:
        ended = submit(http, "greet", mark="ended")
        until(lambda: show(http, ended)["status"] == "succeeded", "the first one to have ended", 10)
        run = [submit(http, "hang", mark=f"{tmp_path.name}-{n}") for n in range(2)]
        until(lambda: all(show(http, id_)["status"] == "running" for id_ in run), "two to run", 10)
        cancelled = submit(http, "greet", mark="never")
        assert http.post(f"/commands/{cancelled}/cancel").status_code == 202
        waits = [submit(http, "greet", mark=f"waits-{n}") for n in range(2)]
        controller.kill()

    with serving("desktop_controller", tmp_path, **told) as controller, commands(controller) as http:
        until(lambda: all(show(http, id_)["status"] == "succeeded" for id_ in waits), "the others to run", 10)
        until(lambda: all(show(http, id_)["status"] == "failed" for id_ in run), "all to have their end", 10)
        for id_ in run:
            assert trail(http, id_) == ["requested", "started", "failed"]
            assert show(http, id_)["reason"] == "The controller died while it ran."
        for id_ in [ended, *waits]:
            assert trail(http, id_) == ["requested", "started", "succeeded"]
        assert trail(http, cancelled) == ["requested", "failed"]
        assert show(http, cancelled)["status"] == "rejected"
    until(lambda: not processes(tmp_path.name), "the programs to be gone", 5)


def submit(http: httpx.Client, command: str, **arguments: str) -> str:
    """A command is requested, and this is its id."""
    accepted = http.post("/commands", json={"command": command, "arguments": arguments})
    assert accepted.status_code == 202, accepted.text
    return str(accepted.json()["id"])


def show(http: httpx.Client, id: str) -> dict[str, Any]:
    """A command as it stands."""
    return dict(http.get(f"/commands/{id}").json())


def trail(http: httpx.Client, id: str) -> list[str]:
    """What the audit trail says of a command, each with somebody on whose behalf it was."""
    events = http.get("/operations/events", params={"stream": f"host_command-{id}"}).json()["items"]
    assert [one["revision"] for one in events] == list(range(len(events)))
    assert events[0]["actor"] == events[0]["data"]["requested_by"] == "tests"
    assert all(one["actor"] for one in events)
    return [str(one["type"]).removeprefix("desktop.command-").removesuffix(".v1") for one in events]


def reason(folder: Path, told: dict[str, str], id: str) -> str:
    """Why a command has failed, as the next controller tells."""
    with serving("desktop_controller", folder, **told) as controller, commands(controller) as http:
        until(lambda: http.get(f"/commands/{id}").json()["status"] == "failed", "the command to have its end", 10)
        return str(http.get(f"/commands/{id}").json()["reason"])


def test_given_no_catalogue_then_it_does_not_start_and_says_what_to_mend(tmp_path: Path) -> None:
    environment = {**os.environ, "COMMANDS_FILE": str(tmp_path / "none.toml"), "DATA_DIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-m", "desktop_controller"], env=environment, capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1
    assert "COMMANDS_FILE" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_example_of_a_catalogue_can_be_read_and_locks() -> None:
    names = {entry.name for entry in TomlCatalogue(SAMPLE / "commands.toml", resolve=False).entries()}

    assert {"lock", "unlock", "wait", "show-date"} <= names


def test_the_commands_of_the_page_work(tmp_path: Path) -> None:
    page = (SAMPLE / "README.md").read_text()
    make, *blocks = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert (make, len(blocks)) == ("make run\n", 4)
    (tmp_path / "operator.token").write_text(os.environ["TESTS_TOKEN"])  # there `make run` puts it
    with serving("desktop_controller", tmp_path, COMMANDS_FILE=str(SAMPLE / "commands.toml")) as server:

        def shown_by(block: str) -> Any:
            told = block.replace("http://127.0.0.1:8082", server.url).replace("data/", f"{tmp_path}/")
            shown = subprocess.run(["bash", "-e", "-c", told], capture_output=True, text=True, check=True)
            return json.loads(shown.stdout)

        answers = [shown_by(block) for block in blocks]
        assert ["type" in answer for answer in answers] == [False] * len(blocks), answers
        until(lambda: shown_by(blocks[-1])["state"] == "ready", "the desktop to be registered", 30)
