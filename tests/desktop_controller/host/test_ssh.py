"""Over SSH: who is trusted, what becomes of a broken connection, and how arguments pass a shell."""

import asyncio
import json
import signal
import subprocess
import sys
from asyncio.subprocess import PIPE
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import asyncssh
import pytest
from hypothesis import given, strategies as st

from desktop_controller.integration.clients.quoting import quoted
from desktop_controller.integration.clients.reports import Reports
from desktop_controller.integration.clients.ssh import SshExecutor
from desktop_controller.integration.clients.ssh_host import SshHost
from desktop_controller.integration.ports import CannotExecute
from neuroglia.core.errors import ConfigurationError, Unavailable
from tests.desktop_controller.host.capture import Capture, gone
from tests.desktop_controller.host.ssh_servers import Keys
from tests.desktop_controller.host.test_executors import DETACHED, HOSTILE
from tests.desktop_controller.host.test_orphans import CONTROLLER

pytestmark = pytest.mark.integration
Own = tuple[str, Keys, "subprocess.Popen[str]"]
SHOW = [sys.executable, "-I", "-S", "-c", "import json, sys; print(json.dumps(sys.argv[1:]))"]


def through_a_shell(arguments: list[str]) -> list[str]:
    """What a program gets of a line that /bin/sh has read."""
    done = subprocess.run(["/bin/sh", "-c", quoted([*SHOW, *arguments])], capture_output=True, check=True)
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), max_size=30))
def test_given_any_texts_when_a_shell_reads_the_line_then_it_is_the_same_elements(texts: list[str]) -> None:
    assert through_a_shell(texts) == texts


def test_given_hostile_texts_when_a_shell_reads_the_line_then_it_is_the_same_elements() -> None:
    assert through_a_shell(HOSTILE) == HOSTILE


async def run(url: str, *argv: str) -> int:
    return await SshExecutor(SshHost.of(url)).run("x", argv, Capture())


async def test_given_a_host_with_another_key_when_a_program_is_run_then_it_is_refused_and_the_reason_told(
    own_server: Own,
) -> None:
    url, keys, _ = own_server
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()
    keys.known_hosts.write_text(keys.known_hosts.read_text().split(" ")[0] + " " + other)

    with pytest.raises(Unavailable, match="known_hosts"):
        await run(url, "true")


async def test_given_a_host_that_nobody_knows_when_a_program_is_run_then_it_is_refused_and_the_reason_told(
    own_server: Own,
) -> None:
    url, keys, _ = own_server
    keys.known_hosts.write_text("")

    with pytest.raises(Unavailable, match="known_hosts"):
        await run(url, "true")


async def test_given_a_key_that_the_host_does_not_know_when_a_program_is_run_then_that_is_told(own_server: Own) -> None:
    url, keys, _ = own_server
    url = url.replace(f"key={keys.client}", f"key={keys.host}")

    with pytest.raises(Unavailable, match="does not accept our key"):
        await run(url, "true")


async def test_given_a_key_that_is_none_when_a_program_is_run_then_that_is_told(own_server: Own) -> None:
    url, keys, _ = own_server
    keys.client.write_text("nothing")

    with pytest.raises(Unavailable, match="cannot be read"):
        await run(url, "true")


async def test_given_nobody_there_when_a_program_is_run_then_it_is_unavailable(own_server: Own) -> None:
    url, _, server = own_server
    server.kill()
    server.wait()

    with pytest.raises(Unavailable, match="cannot be reached"):
        await run(url, "true")


async def test_given_a_host_without_python_when_a_program_is_run_then_it_cannot_be_executed(own_server: Own) -> None:
    with pytest.raises(CannotExecute, match="Python"):
        await run(f"{own_server[0]}&python=/no/python", "true")


async def test_given_a_connection_that_breaks_when_a_program_runs_then_that_is_told_and_nothing_is_left(
    own_server: Own,
) -> None:
    url, _, server = own_server
    mark, capture = str(uuid4()), Capture()
    running = asyncio.create_task(
        SshExecutor(SshHost.of(url), grace=0.2).run("x", ["sh", "-c", DETACHED, "sh", mark], capture)
    )
    await capture.says(b"started")
    server.kill()

    with pytest.raises(Unavailable):
        await running
    await gone(mark)


async def test_given_a_controller_with_a_program_running_when_it_is_killed_then_nothing_is_left_on_the_host(
    real_sshd: str,
) -> None:
    mark = str(uuid4())
    controller = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", CONTROLLER, real_sshd, "sh", "-c", DETACHED, "sh", mark), stdout=PIPE
    )
    assert controller.stdout is not None
    assert await controller.stdout.readline() == b"started\n"
    controller.kill()
    await controller.wait()

    await gone(mark)


async def test_given_arguments_that_are_too_long_for_a_line_when_a_program_is_run_then_it_cannot_be_executed(
    own_server: Own,
) -> None:
    with pytest.raises(CannotExecute, match="too long"):
        await run(own_server[0], "true", "x" * 130_000)


async def test_given_a_connection_that_falls_silent_when_a_program_runs_then_both_sides_give_up(
    own_server: Own,
) -> None:
    url, _, server = own_server
    mark, capture = str(uuid4()), Capture()
    executor = SshExecutor(replace(SshHost.of(url), keep_alive=0.2), grace=0.2)
    running = asyncio.create_task(executor.run("x", ["sh", "-c", DETACHED, "sh", mark], capture))
    await capture.says(b"started")
    server.send_signal(signal.SIGSTOP)

    with pytest.raises(Unavailable):
        await running
    await gone(mark)


async def test_given_a_connection_that_falls_silent_when_a_program_is_cancelled_then_that_comes_to_an_end(
    own_server: Own,
) -> None:
    url, _, server = own_server
    capture = Capture()
    executor = SshExecutor(replace(SshHost.of(url), keep_alive=0.2), grace=0.2)
    running = asyncio.create_task(executor.run("x", ["sh", "-c", "echo started; sleep 60"], capture))
    await capture.says(b"started")
    server.send_signal(signal.SIGSTOP)
    running.cancel()

    assert (await asyncio.wait([running], timeout=20))[0]
    assert running.cancelled()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ssh://host?key=KEY&known_hosts=KEY", "the user or the host is missing"),
        ("ssh://me@host:22", "key names no file"),
        ("ssh://me@host?key=KEY", "known_hosts names no file"),
        ("ssh://me@host?key=/none&known_hosts=KEY", "key names no file"),
        ("ssh://me:secret@host?key=KEY&known_hosts=KEY", "a password has no place"),
        ("ssh://me@host:99999?key=KEY&known_hosts=KEY", "range"),
        ("ssh://me@host?key=KEY&known_hosts=KEY&strict=no", "an option that is unknown"),
        ("ssh://me@host?key=KEY&key=KEY&known_hosts=KEY", "an option that is unknown or there twice"),
    ],
)
def test_given_a_url_that_does_not_say_enough_when_it_is_read_then_the_start_stops(
    tmp_path: Path, url: str, said: str
) -> None:
    (tmp_path / "key").write_text("")

    with pytest.raises(ConfigurationError, match=f"HOST_EXECUTOR_URL: .*{said}.*write ssh://"):
        SshHost.of(url.replace("KEY", str(tmp_path / "key")))


@given(st.lists(st.sampled_from([b"TOKEN exit 3\n", b"TOK", b"TOKEN", b"x", b"\n", b"TOKEN started 1\n"])), st.data())
def test_given_reports_between_output_when_it_is_cut_anywhere_then_they_are_told_apart(
    pieces: list[bytes], data: st.DataObject
) -> None:
    whole = b"".join(pieces)
    at = data.draw(st.integers(0, len(whole)))
    at_once, cut = Reports("TOKEN"), Reports("TOKEN")

    assert at_once.feed(whole) + at_once.finish() == cut.feed(whole[:at]) + cut.feed(whole[at:]) + cut.finish()
    assert at_once.found == cut.found
