"""No program outlives what started it: the process table is asked, after kill -9."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from uuid import uuid4

import pytest

from desktop_controller.integration.clients.local import LocalExecutor
from neuroglia.core.errors import Unavailable
from tests.desktop_controller.host.capture import Capture, gone, processes
from tests.desktop_controller.host.test_executors import DETACHED

pytestmark = pytest.mark.integration
CONTROLLER = """
import asyncio, sys
from desktop_controller.integration.executors import connect_executor

class Told:
    def stdout(self, data): sys.stdout.buffer.write(data); sys.stdout.flush()
    stderr = stdout

async def main():
    executor = connect_executor(sys.argv[1])
    await asyncio.gather(*(executor.run("x", sys.argv[2:], Told()) for _ in range(3)))

asyncio.run(main())
"""


async def test_given_a_controller_with_programs_running_when_it_is_killed_then_no_orphan_is_left() -> None:
    mark = str(uuid4())
    controller = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CONTROLLER, "local://", "sh", "-c", DETACHED, "sh", mark, stdout=PIPE
    )
    assert controller.stdout is not None
    for _ in range(3):
        assert await controller.stdout.readline() == b"started\n"
    assert len(processes(mark)) > 9
    os.kill(controller.pid, signal.SIGKILL)
    await controller.wait()

    await gone(mark)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_given_a_supervisor_that_is_told_to_end_when_it_does_then_all_below_it_end(number: int) -> None:
    mark, capture = str(uuid4()), Capture()
    running = asyncio.create_task(LocalExecutor(grace=0.2).run("x", ["sh", "-c", DETACHED, "sh", mark], capture))
    await capture.says(b"started")
    os.kill(supervisor_of(mark), number)

    assert await running == -signal.SIGKILL
    assert not processes(mark)


async def test_given_a_supervisor_that_is_killed_when_its_program_runs_then_the_program_ends_and_that_is_told() -> None:
    mark, capture = str(uuid4()), Capture()
    script = 'sh -c \': "$1"; while :; do sleep 1; done\' sh "$1" & echo started; wait'
    running = asyncio.create_task(LocalExecutor().run("x", ["sh", "-c", script, "sh", mark], capture))
    await capture.says(b"started")
    os.kill(supervisor_of(mark), signal.SIGKILL)

    with pytest.raises(Unavailable):
        await running
    await gone(mark, 3)


async def test_given_a_program_that_forks_without_end_when_it_is_cancelled_then_nothing_is_left() -> None:
    mark, capture = str(uuid4()), Capture()
    script = 'echo started; while :; do sh -c ": $1; sleep 60" sh "$1" & sleep 0.01; done'
    running = asyncio.create_task(LocalExecutor(grace=0.2).run("x", ["sh", "-c", script, "sh", mark], capture))
    await capture.says(b"started")
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    await gone(mark, 3)


async def test_given_secrets_in_the_environment_when_a_program_runs_then_it_sees_three_names_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OAUTH2_SECRET", "hunter2")
    capture = Capture()
    await LocalExecutor().run("x", [sys.executable, "-c", "import os; print(*os.environ)"], capture)

    assert set(capture.out.decode().split()) <= {"PATH", "HOME", "LANG", "LC_CTYPE"}  # Python sets the last itself


async def test_given_many_programs_when_all_have_ended_then_no_descriptor_is_left_open() -> None:
    await LocalExecutor().run("x", ["true"], Capture())
    before = open_descriptors()
    for _ in range(5):
        await LocalExecutor().run("x", ["true"], Capture())

    assert open_descriptors() == before


def supervisor_of(mark: str) -> int:
    """The one whose program has this text in its arguments."""
    return next(pid for pid in processes(mark) if b"supervisor.py" in Path(f"/proc/{pid}/cmdline").read_bytes())


def open_descriptors() -> int:
    """Of this process."""
    return len(list(Path("/proc/self/fd").iterdir()))
