"""The command line and the live tail, against a real process."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployment.processes import ServiceProcess, free_port, serving, until
from tests.support.engines import Backing
from tests.support.issuer import authorized

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
TAIL = "/api/v1/operations/events/tail"
ENVIRONMENT = {**os.environ, "COLUMNS": "200", "NO_COLOR": "1"}


@pytest.fixture
def bells(tmp_path: Path, backing: Backing) -> Iterator[ServiceProcess]:
    module = "tests.framework.operations.bells"
    with serving(module, tmp_path, PYTHONPATH=str(ROOT), LEASE_SECONDS="0.3", **backing.environment) as service:
        yield service


def neuroglia(url: str, *arguments: str, code: int = 0) -> str:
    program = [str(Path(sys.executable).parent / "neuroglia"), "--url", url, *arguments]
    done = subprocess.run(
        program,
        env={**ENVIRONMENT, "NEUROGLIA_TOKEN": os.environ["TESTS_TOKEN"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def told(url: str, *arguments: str) -> Any:
    return json.loads(neuroglia(url, *arguments, "--json"))


def ring(bells: ServiceProcess, id: str, tone: str = "ding") -> None:
    headers = {"X-Correlation-ID": f"of-{id}", **authorized()}
    httpx.post(
        f"{bells.url}/api/v1/bells/{id}", params={"tone": tone}, headers=headers, verify=False
    ).raise_for_status()


def test_the_story_of_an_operator(bells: ServiceProcess, tmp_path: Path) -> None:
    url = bells.url
    ring(bells, "a")
    ring(bells, "b", "poison")
    until(lambda: bool(told(url, "parked", "list")), "the poison to be parked", 20)
    until(lambda: len(told(url, "events", "--correlation", "of-b")) == 2, "the echo", 20)

    assert [event["stream"] for event in told(url, "events", "--stream", "bell-a")] == ["bell-a"]
    shown = [line.split()[2] for line in neuroglia(url, "events").splitlines()]  # each in a line
    assert shown.count("bells.rung.v1") == 2
    first, *others = told(url, "events")
    assert told(url, "events", "--after", str(first["position"])) == others
    assert "--tail goes with --stream alone" in neuroglia(url, "events", "--tail", "--tree", code=2)
    cause, effect = neuroglia(url, "events", "--correlation", "of-b", "--tree").splitlines()[1:]
    assert "bells.rung.v1" in cause
    assert "bells.echoed.v1" in effect
    assert effect.index("──") > cause.index("──")

    assert "neuroglia parked show BellProjection" in neuroglia(url, "doctor", code=1)
    assert told(url, "parked", "show", "BellProjection")[0]["data"] == [{"tone": "poison"}]
    (tmp_path / "mended").touch()
    replayed = neuroglia(url, "parked", "replay", "BellProjection", "--stream", "bell-b", "--wait")
    assert "BellProjection: replay" in replayed, "how far it is"
    assert "Of 0 stream(s) events are parked" in replayed
    assert not told(url, "parked", "list")
    built = neuroglia(url, "subscriptions", "rebuild", "BellProjection", "--wait")
    assert "is built anew" in built
    assert "Building BellProjection" in built, "how far it is"
    assert "100%" in built
    assert {one["name"] for one in told(url, "subscriptions")} == {"BellProjection", "EchoReaction", "EventIndex"}
    assert "All is well" in neuroglia(url, "doctor")
    neuroglia(url, "parked", "discard", "BellProjection", "--yes")


def test_what_is_discarded_is_never_handled(bells: ServiceProcess, tmp_path: Path) -> None:
    url = bells.url
    for id in ("a", "b"):
        ring(bells, id, "poison")
    until(lambda: len(told(url, "parked", "list")) == 2, "the poison to be parked", 20)
    (position,) = [one["position"] for one in told(url, "parked", "list") if one["stream"] == "bell-a"]

    neuroglia(url, "parked", "discard", "BellProjection", code=1)  # nobody has agreed
    assert len(told(url, "parked", "list")) == 2
    neuroglia(url, "parked", "discard", "BellProjection", "--stream", "bell-a", "--position", str(position), "--yes")
    until(lambda: len(told(url, "parked", "list")) == 1, "the event to be discarded", 20)
    assert [one["stream"] for one in told(url, "parked", "list")] == ["bell-b"]
    neuroglia(url, "parked", "discard", "BellProjection", "--yes", "--wait")
    assert not told(url, "parked", "list")

    (tmp_path / "mended").touch()
    neuroglia(url, "parked", "replay", "BellProjection", "--wait")  # it finds nothing any more
    ring(bells, "c", "poison")
    until(lambda: all(one["lag"] == 0 for one in told(url, "subscriptions")), "all to be passed", 20)
    assert told(url, "parked", "list") == []
    assert "All is well" in neuroglia(url, "doctor")


def test_what_goes_wrong_is_told_in_a_line(bells: ServiceProcess) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    for arguments in (["events"], ["events", "--tail"], ["doctor"], ["subscriptions"], ["parked", "list"]):
        assert f"Nobody answers at {nobody}" in neuroglia(nobody, *arguments, code=3)
    assert "--url begins with http://" in neuroglia("nonsense", "doctor", code=2)
    assert "Nobody answers at --url" in neuroglia("http://127.0.0.1:x", "doctor", code=3)
    assert "404" in neuroglia(bells.url, "parked", "show", "../x", code=2)
    assert "422" in neuroglia(bells.url, "subscriptions", "rebuild", "EchoReaction", code=2)
    assert "404" in neuroglia(bells.url + "/elsewhere", "events", code=2)


def positions(answer: httpx.Response, count: int) -> list[int]:
    found: list[int] = []
    for line in answer.iter_lines():
        if line.startswith("id: "):
            found.append(int(line.removeprefix("id: ")))
        if len(found) == count:
            break
    return found


def test_the_tail_goes_on_where_it_was_left(bells: ServiceProcess) -> None:
    for id in ("a", "b", "c"):
        ring(bells, id)

    with httpx.Client(base_url=bells.url, timeout=20, verify=False, headers=authorized()) as http:
        parameters = {"prefix": "bell-"}
        with http.stream("GET", TAIL, params=parameters, headers={"Last-Event-ID": "-1"}) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            begin, first, second, third = positions(answer, 4)
            assert begin == -1
        with http.stream("GET", TAIL, params=parameters, headers={"Last-Event-ID": str(first)}) as answer:
            assert positions(answer, 3) == [first, second, third]
        with http.stream("GET", TAIL, params=parameters) as answer:
            lines = answer.iter_lines()
            place = int(next(lines).removeprefix("id: "))  # what happens from here on is told
            ring(bells, "d")
            new = int(next(line for line in lines if line.startswith("id: ")).removeprefix("id: "))
            assert new > place >= third
        with http.stream("GET", TAIL, params=parameters, headers={"Last-Event-ID": str(place)}) as answer:
            assert positions(answer, 2) == [place, new]
        assert http.get(TAIL, headers={"Last-Event-ID": "x"}).status_code == 422


def test_a_tail_ends_when_the_service_does_and_holds_it_up_not_at_all(bells: ServiceProcess) -> None:
    with (
        httpx.Client(base_url=bells.url, timeout=20, verify=False, headers=authorized()) as http,
        http.stream("GET", TAIL, headers={"Last-Event-ID": "-1"}) as answer,
    ):
        ring(bells, "a")
        lines = answer.iter_lines()
        assert next(line for line in lines if line.startswith("data: "))
        bells.process.terminate()
        assert list(lines)  # to its end, which is no error
    bells.wait()
    assert "graceful shutdown exceeded" not in bells.stdout.read_text()


def test_the_command_imports_nothing_of_the_server() -> None:
    code = "import sys, neuroglia.operations.cli; print([m for m in sys.modules if m.startswith('neuroglia')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert all("operations" in name or name == "neuroglia" for name in eval(done.stdout))
    assert "fastapi" not in done.stdout
