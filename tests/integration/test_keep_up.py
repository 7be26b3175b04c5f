"""`make run`: the samples are up, what it prints leads somewhere, and SIGTERM ends all of it."""

import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deployment.processes import free_port, until

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
SECONDS = 60.0


PORTS = ("PORT", "DESKTOP_PORT", "GATEWAY_PORT", "ISSUER_PORT")
TOKEN_S = 6


@pytest.fixture
def kept_up(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    told = {name: str(free_port()) for name in PORTS} | {"ISSUER_TOKEN_SECONDS": str(TOKEN_S)}
    process = subprocess.Popen(
        [sys.executable, "-m", "deployment.demo.keep_up"],
        cwd=ROOT, env={**os.environ, **told, "DATA_DIR": str(tmp_path / "data")},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=SECONDS)


def is_open(url: str) -> bool:
    where = httpx.URL(url)
    with socket.socket() as probe:
        return probe.connect_ex((where.host, where.port or 80)) == 0


def test_each_link_leads_somewhere_and_sigterm_ends_all(kept_up: subprocess.Popen[str], tmp_path: Path) -> None:
    assert kept_up.stdout is not None
    assert kept_up.stderr is not None
    told: list[str] = []
    while not told or told[-1] != "Ctrl-C stops them.\n":
        told.append(kept_up.stdout.readline())
        assert told[-1], kept_up.stderr.read()
    text = "".join(told)
    (issuer,) = re.findall(r"tokens\s+(http://[^\s;]+);", text)
    links = [link for link in re.findall(r"http://[^\s;]+", text) if link != issuer]

    described = httpx.get(f"{issuer}/.well-known/openid-configuration").raise_for_status().json()
    assert described["issuer"] == issuer
    servers = [link.removesuffix("/api/docs") for link in links[:3]]
    pages = ("/api/docs", "/api/openapi.json", "/health/ready")
    assert len(set(servers)) == 3
    # the last two are those of the commands
    assert links == [*(server + page for page in pages for server in servers), *servers[:1] * 2]
    titles = [httpx.get(f"{server}/api/openapi.json").json()["info"]["title"] for server in servers]
    assert titles == ["OpenBank", "Desktop Controller", "API Gateway"]
    assert {link: httpx.get(link, follow_redirects=True).status_code for link in links} == dict.fromkeys(links, 200)
    commands = [line.strip() for line in told if "neuroglia --url" in line]
    assert [command.rpartition(" ")[2] for command in commands] == ["doctor", "events"]
    for command in commands:
        shown = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
        assert (shown.returncode, shown.stderr) == (0, "")

    token = tmp_path / "data/operator.token"
    seen = {token.read_text()}

    def was_renewed_twice() -> bool:
        seen.add(token.read_text())
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        return len(seen) > 2

    until(was_renewed_twice, "tokens that are new", SECONDS)
    assert "" not in seen

    made = [tmp_path / "data", *(path for path in (tmp_path / "data").iterdir() if path.is_dir())]
    assert {path.name: oct(stat.S_IMODE(path.stat().st_mode)) for path in made} == dict.fromkeys(
        ["data", "desktop", "gateway", "issuer"], "0o700"
    )

    kept_up.send_signal(signal.SIGTERM)
    rest, errors = kept_up.communicate(timeout=SECONDS)
    assert (kept_up.returncode, rest, errors) == (0, "", "")
    until(lambda: not any(is_open(url) for url in (*servers, issuer)), "all to be gone", SECONDS)


def test_given_a_sample_that_dies_when_kept_up_then_it_is_named_with_its_logs_and_all_end(
    kept_up: subprocess.Popen[str], tmp_path: Path
) -> None:
    assert kept_up.stdout is not None
    told = ""
    while not told.endswith("Ctrl-C stops them.\n"):
        told += (line := kept_up.stdout.readline())
        assert line, told
    children = Path(f"/proc/{kept_up.pid}/task/{kept_up.pid}/children").read_text().split()
    (desktop,) = [pid for pid in children if b"desktop_controller" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    os.kill(int(desktop), signal.SIGKILL)
    _, errors = kept_up.communicate(timeout=SECONDS)

    logs = f"{tmp_path}/data/desktop/stdout.log, {tmp_path}/data/desktop/stderr.log"
    assert errors == f"The Desktop Controller has ended with -9, and so all end. Its logs: {logs}\n"
    assert kept_up.returncode == 256 - signal.SIGKILL
    assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []


@pytest.mark.parametrize("name", PORTS)
def test_a_port_that_is_taken_is_named_with_its_variable(name: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = {one: str(free_port()) for one in PORTS} | {name: str(taken.getsockname()[1])}
        ended = subprocess.run(
            [sys.executable, "-m", "deployment.demo.keep_up"], cwd=ROOT, check=False, timeout=SECONDS,
            env={**os.environ, **ports, "DATA_DIR": str(tmp_path)}, capture_output=True, text=True,
        )  # fmt: skip
    what = f"port {ports[name]} is taken by another process"
    said = f"They did not start: {what}. {name}=… make run takes another one.\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", said)


@pytest.mark.parametrize(("name", "value"), [("PORT", "abc"), ("GATEWAY_PORT", "99999"), ("ISSUER_PORT", "")])
def test_given_no_port_when_run_then_its_variable_is_named(name: str, value: str, tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "deployment.demo.keep_up"], cwd=ROOT, check=False, timeout=SECONDS,
        env={**os.environ, name: value, "DATA_DIR": str(tmp_path / "data")}, capture_output=True, text=True,
    )  # fmt: skip
    said = f"They did not start: {name} has to be a number from 1 to 65535.\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (1, "", said)
    assert not (tmp_path / "data").exists()


def test_given_a_folder_that_cannot_be_made_then_its_variable_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = subprocess.run(
        [sys.executable, "-m", "deployment.demo.keep_up"],
        cwd=ROOT, env={**os.environ, "DATA_DIR": str(tmp_path / "file/data")},
        capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip

    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"They did not start: DATA_DIR {tmp_path}/file/data: Not a directory\n"
