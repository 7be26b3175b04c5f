"""`ssh://`: programs run on a host that is reached over SSH: with Linux, a POSIX shell and Python 3.9 or newer."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final
from uuid import uuid4

import asyncssh

from desktop_controller.integration.clients.ends import GRACE_S, SUPERVISOR, checked, exit_code
from desktop_controller.integration.clients.quoting import quoted
from desktop_controller.integration.clients.reports import Reports
from desktop_controller.integration.clients.shielded import to_its_end
from desktop_controller.integration.clients.ssh_host import SshHost
from desktop_controller.integration.ports import CannotExecute, Output
from neuroglia.core.errors import Unavailable

_PIECE: Final = 65_536
_SILENT_TIMES: Final = 6
_LATE_S: Final = 10.0
"""So long may the host take, beyond the program's own time, to tell that all has ended."""
_LONGEST_LINE: Final = 128 * 1024 - 1
"""Linux gives a shell no longer one."""
_NOT_FOUND: Final = {126, 127}


class SshExecutor:
    """Sends the supervisor along with each program, over a connection of its own. That the connection breaks ends the
    program: the supervisor's stdin closes, or says nothing any more.

    Attributes:
        grace: so many seconds has a program to end by itself after SIGTERM.
    """

    def __init__(self, host: SshHost, grace: float = GRACE_S) -> None:
        self.grace = grace
        self._host = host
        self._supervisor = SUPERVISOR.read_text(encoding="utf-8")

    async def run(self, command_id: str, argv: Sequence[str], output: Output) -> int:  # noqa: ARG002
        token = f"supervisor-{uuid4().hex}"
        silence = _SILENT_TIMES * self._host.keep_alive
        options = ["-I", "-S", "-X", "utf8", "-c", self._supervisor, "2", token, str(self.grace), str(silence)]
        line = quoted([self._host.python, *options, *checked(argv)])
        if len(line.encode()) > _LONGEST_LINE:
            raise CannotExecute("The arguments are too long.")
        async with self._host.connected() as connection:
            session = Session(connection, Reports(token), self._host.keep_alive, self.grace + _LATE_S)
            return await to_its_end(session.run(line, output), on_cancel=session.end)

    async def clean_up(self) -> None:
        """There is nothing: no program outlives the connection to its controller."""


class Session:
    """One supervisor on the host."""

    def __init__(
        self, connection: asyncssh.SSHClientConnection, reports: Reports, keep_alive: float, patience: float
    ) -> None:
        self._connection = connection
        self._reports = reports
        self._keep_alive = keep_alive
        self._patience = patience
        self._process: asyncssh.SSHClientProcess[bytes] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ending = False

    def end(self) -> None:
        """Tells the supervisor to end all. It is not waited for without end."""
        if not self._ending:
            self._ending = True
            self._timer = asyncio.get_running_loop().call_later(self._patience, self._connection.abort)
            if self._process is not None:
                _close(self._process)

    async def run(self, line: str, output: Output) -> int:
        """The program's exit code, or minus its signal."""
        process = self._process = await self._connection.create_process(line, encoding=None)
        if self._ending:
            _close(process)
        beating = asyncio.create_task(self._beat(process))
        try:
            await asyncio.gather(
                _read(process.stdout, output.stdout),
                _read(process.stderr, lambda data: output.stderr(self._reports.feed(data))),
            )
            await process.wait_closed()
        finally:
            beating.cancel()
            if self._timer is not None:
                self._timer.cancel()
            if rest := self._reports.finish():
                output.stderr(rest)
        match self._reports.found:
            case [*_, last] if not last.startswith("started"):
                return exit_code(last)
            case [] if process.exit_status in _NOT_FOUND:
                raise CannotExecute("The host has no Python, which programs are run by there.")
            case _:
                raise Unavailable("The program is lost: the connection broke, or its supervisor was ended.")

    async def _beat(self, process: asyncssh.SSHClientProcess[bytes]) -> None:
        """Tells the supervisor that we are there."""
        with suppress(OSError, asyncssh.Error):  # that it has ended shows elsewhere
            while not self._ending:
                process.stdin.write(b".")
                await asyncio.sleep(self._keep_alive)


def _close(process: asyncssh.SSHClientProcess[bytes]) -> None:
    with suppress(OSError, asyncssh.Error):
        process.stdin.write_eof()


async def _read(stream: asyncssh.SSHReader[bytes], take: Callable[[bytes], None]) -> None:
    while data := await stream.read(_PIECE):
        take(data)
