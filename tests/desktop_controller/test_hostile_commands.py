"""Programs that behave badly, from a request to the process table: how they end, and that nothing of them is left."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from deployment.processes import ServiceProcess, serving, until
from tests.desktop_controller.host.capture import processes
from tests.support.issuer import authorized

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("issuer")]
MIB = 2**20
DETACH = "setsid sh -c 'while :; do sleep 1; done' \"$0\""
PROGRAMS = {
    "forks": f'for i in 1 2 3 4 5 6 7 8; do {DETACH} & sh -c \'sleep 60; : "$0"\' "$0" & done; wait',
    "will-not-end": "trap '' TERM INT HUP; while :; do sleep 0.1; done",
    "closes-its-streams": "exec >&- 2>&- <&-; sleep 0.2; exit 3",
    "leaves-a-child": f"{DETACH} & exit 0",
    "floods": "exec yes",
    "floods-errors": 'yes >&2; : "$0"',
    "says-nothing": "true",
    "is-killed": "kill -9 $$; sleep 5",
    "aborts": "echo last words; kill -6 $$; sleep 5",
    "says-what-is-no-text": "printf '\\377\\376\\000x'; exit 2",
    "reads": "cat; exit 4",
}
ENDS: dict[str, tuple[str, int | None, str]] = {
    "forks": ("timed_out", None, ""),
    "will-not-end": ("timed_out", None, ""),
    "closes-its-streams": ("failed", 3, ""),
    "leaves-a-child": ("succeeded", 0, ""),
    "floods": ("timed_out", None, "y\ny\n"),
    "floods-errors": ("timed_out", None, ""),
    "says-nothing": ("succeeded", 0, ""),
    "is-killed": ("failed", -9, ""),
    "aborts": ("failed", -6, "last words\n"),
    "says-what-is-no-text": ("failed", 2, "\ufffd\ufffd\x00x"),
    "reads": ("failed", 4, ""),
}
COMMAND = """
[commands.{name}]
description = "Behaves badly"
argv = {argv}
timeout_seconds = {seconds}
parameters.mark = {{ type = "text", pattern = "[a-z0-9-]+" }}
"""


def described_as(name: str, program: str, seconds: int) -> str:
    return COMMAND.format(name=name, argv=json.dumps(["sh", "-c", program, "{mark}"]), seconds=seconds)


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory, issuer: None) -> Iterator[ServiceProcess]:
    folder = tmp_path_factory.mktemp("controller")
    seconds = {name: 1 if status == "timed_out" else 20 for name, (status, *_) in ENDS.items()}
    described = [described_as(name, PROGRAMS[name], seconds[name]) for name in PROGRAMS]
    described.append(described_as("floods-on", PROGRAMS["floods"], 120))
    (folder / "commands.toml").write_text("\n".join(described))
    with serving("desktop_controller", folder, COMMANDS_FILE=str(folder / "commands.toml")) as service:
        yield service


@pytest.fixture
def http(controller: ServiceProcess) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"{controller.url}/api/v1", timeout=40, headers=authorized()) as client:
        yield client


def submit(http: httpx.Client, command: str, mark: str, **headers: str) -> dict[str, Any]:
    body = {"command": command, "arguments": {"mark": mark}}
    answer = http.post("/commands", json=body, headers=headers)
    assert answer.is_success, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("name", ENDS)
def test_it_has_its_end_and_leaves_nothing(http: httpx.Client, name: str) -> None:
    mark = str(uuid4())
    status, exit_code, said = ENDS[name]

    ended = submit(http, name, mark, Prefer="wait=30")

    assert (ended["status"], ended["exit_code"]) == (status, exit_code), ended["reason"]
    assert ended["stdout"].startswith(said) if said else ended["stdout"] == ""
    assert ended["truncated"] == name.startswith("floods")
    stream = http.get("/operations/events", params={"stream": f"host_command-{ended['id']}"}).json()["items"]
    assert [one["type"] for one in stream][:2] == ["desktop.command-requested.v1", "desktop.command-started.v1"]
    assert len(stream) == 3
    until(lambda: not processes(mark), "all of its processes to be gone", 5)


@pytest.mark.parametrize(("name", "kept"), [("floods", "stdout"), ("floods-errors", "stderr")])
def test_a_flood_is_kept_up_to_a_limit(http: httpx.Client, name: str, kept: str) -> None:
    ended = submit(http, name, str(uuid4()), Prefer="wait=30")

    assert len(ended[kept]) <= 16 * 1024
    assert set(ended[kept]) == {"y", "\n"}
    output = http.get(f"/commands/{ended['id']}/output").content
    assert len(output) == MIB < ended["output_bytes"]


def test_a_program_that_prints_without_end_takes_no_more_memory_the_longer_it_prints(
    controller: ServiceProcess, http: httpx.Client
) -> None:
    id_ = submit(http, "floods-on", str(uuid4()))["id"]
    begun = has_read(controller)
    until(lambda: has_read(controller) > begun + 50 * MIB, "its output to be far above the limit", 60)
    warm = memory(controller)

    until(lambda: has_read(controller) > begun + 200 * MIB, "four times as much", 90)

    grown = memory(controller) - warm
    assert http.get(f"/commands/{id_}").json()["status"] == "running"
    http.post(f"/commands/{id_}/cancel")
    until(lambda: http.get(f"/commands/{id_}").json()["status"] == "cancelled", "it to have its end", 20)
    assert grown < 20 * MIB, "150 MiB were read meanwhile"


def has_read(controller: ServiceProcess) -> int:
    """So many bytes, from whatever: pipes, too."""
    told = Path(f"/proc/{controller.process.pid}/io").read_text()
    return int(re.findall(r"rchar: (\d+)", told)[0])


def memory(controller: ServiceProcess) -> int:
    """The bytes that the process has in memory."""
    told = Path(f"/proc/{controller.process.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", told)[0]) * 1024
