"""`local://`: programs run beside the controller, as its user. Linux only: see the supervisor."""

import asyncio
import errno
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from desktop_controller.integration.clients.ends import GRACE_S, SUPERVISOR, checked, exit_code
from desktop_controller.integration.clients.shielded import to_its_end
from desktop_controller.integration.ports import CannotExecute, Output
from neuroglia.core.errors import Unavailable

_PASSED_ON: Final = ("PATH", "HOME", "LANG")
_PIECE: Final = 65_536
_LAST_WORDS_S: Final = 1.0


class LocalExecutor:
    """Starts each program under a supervisor, in a session of its own, with an empty stdin and only PATH, HOME and LANG
    of the controller's environment. Its working directory is the controller's.

    Attributes:
        grace: so many seconds has a program to end by itself after SIGTERM.
    """

    def __init__(self, grace: float = GRACE_S) -> None:
        self.grace = grace

    async def run(self, command_id: str, argv: Sequence[str], output: Output) -> int:  # noqa: ARG002
        elements = [element.encode() for element in checked(argv)]
        pipes = Pipes()
        try:
            return await to_its_end(self._supervise(elements, pipes, output), on_cancel=pipes.let_go)
        finally:
            pipes.let_go()

    async def clean_up(self) -> None:
        """There is nothing: no program outlives its controller."""

    async def _supervise(self, argv: Sequence[bytes], pipes: "Pipes", output: Output) -> int:
        started = False
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", "-X", "utf8", str(SUPERVISOR)),
                *(str(pipes.reports), "it", str(self.grace), "0"),
                *argv,
                stdin=pipes.lifeline,
                stdout=PIPE,
                stderr=PIPE,
                pass_fds=(pipes.reports,),
                start_new_session=True,
                env=_environment(),
            )
            started = True
        except OSError as error:
            if error.errno == errno.E2BIG:
                raise CannotExecute("The arguments are too long.") from error
            raise Unavailable("The host cannot start another process.") from error
        finally:
            if not started:
                pipes.close()
        assert process.stdout is not None
        assert process.stderr is not None
        async with asyncio.TaskGroup() as group:
            reading = [
                group.create_task(_read(process.stdout, output.stdout)),
                group.create_task(_read(process.stderr, output.stderr)),
            ]
            reports = await pipes.reported()
            _end_orphans(reports)
            await asyncio.wait(reading, timeout=_LAST_WORDS_S)  # a pipe that another's process has got hold of stays
            for task in reading:
                task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_S):
                await process.wait()
        return _end(reports)


class Pipes:
    """What connects a supervisor with us: the lifeline, whose end tells it to end all, and its reports."""

    def __init__(self) -> None:
        self.lifeline, self._held = os.pipe()
        self._reported, self.reports = os.pipe()

    def let_go(self) -> None:
        """Tells the supervisor to end all."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1

    def close(self) -> None:
        """There is no supervisor."""
        for end in (self.lifeline, self.reports, self._reported):
            os.close(end)

    async def reported(self) -> Sequence[str]:
        """All that the supervisor has to say, when it has ended."""
        os.close(self.lifeline)
        os.close(self.reports)
        reader = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(self._reported, "rb", buffering=0)
        )
        try:
            return [line.removeprefix("it ") for line in (await reader.read()).decode().splitlines()]
        finally:
            transport.close()


async def _read(stream: asyncio.StreamReader, take: Callable[[bytes], None]) -> None:
    while data := await stream.read(_PIECE):
        take(data)


def _end_orphans(reports: Sequence[str]) -> None:
    """Somebody has ended the supervisor: its program died with it, those that the program has started may not have."""
    if len(reports) == 1 and reports[0].startswith("started"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(int(reports[0].partition(" ")[2]), signal.SIGKILL)


def _end(reports: Sequence[str]) -> int:
    if not reports or reports[-1].startswith("started"):
        raise Unavailable("The program is lost: its supervisor was ended.")
    return exit_code(reports[-1])


def _environment() -> Mapping[str, str]:
    return {"PATH": os.defpath, **{name: os.environ[name] for name in _PASSED_ON if name in os.environ}}
