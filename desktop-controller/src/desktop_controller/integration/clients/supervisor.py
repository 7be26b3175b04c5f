"""Stands over one program on a Linux host: whatever happens to the controller, nothing of the program is left.

This file runs by itself, in a process of its own, on the standard library alone: beside the controller, or sent along
to the host that runs the program. It becomes the parent of all that the program leaves behind, however they have
detached themselves (PR_SET_CHILD_SUBREAPER). The controller holds the other end of stdin: when that closes, because a
command is cancelled, the controller dies or the connection breaks, all of them end: SIGTERM, after a while SIGKILL.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from contextlib import suppress

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_AGAIN_S = 0.02
_GIVE_UP_S = 5.0
"""What SIGKILL does not end (another user's, or stuck in the kernel) is not waited for any longer."""


class Supervisor:
    """Runs a program. Its reports are lines: `TOKEN started PID`, and at the end `TOKEN exit CODE` or
    `TOKEN signal NUMBER`, or `TOKEN cannot WHY`.

    With `silence` it also ends when nothing came over stdin for so many seconds: a connection that nobody closed.
    """

    def __init__(self, report_to: int, token: str, grace: float, silence: float) -> None:
        self._report_to = report_to
        self._token = token
        self._grace = grace
        self._silence = silence or None
        self._wakes, wake = os.pipe()
        for end in (self._wakes, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        self._status: int | None = None
        self._childless = False
        self._told_to_end = False

    def run(self, argv: list[str]) -> None:
        """Returns when nothing of the program is left and its end is reported."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._end)
        signal.signal(signal.SIGCHLD, self._note)
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        if prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
            return self._report(f"cannot {os.strerror(ctypes.get_errno())}")
        supervisor = os.getpid()

        def announce() -> None:
            """In the program's process, before it is the program: nothing runs that nobody knows of."""
            prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != supervisor:
                os._exit(1)
            self._report(f"started {os.getpid()}")

        try:
            program = subprocess.Popen(  # noqa: S603 - there is no shell
                argv,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                preexec_fn=announce,
            )
        except (OSError, ValueError) as error:
            return self._report(f"cannot {error.strerror if isinstance(error, OSError) else error}")
        self._watch(program.pid)  # `program` is kept until the end: its finalizer would take the exit status
        self._end_all(program.pid)
        if self._status is None:
            return self._report(f"signal {int(signal.SIGKILL)}")
        ended = program.returncode = os.waitstatus_to_exitcode(self._status)
        return self._report(f"exit {ended}" if ended >= 0 else f"signal {-ended}")

    def _note(self, *_: object) -> None:
        """That it is handled at all writes to the pipe, which is waited for."""

    def _end(self, *_: object) -> None:
        self._told_to_end = True

    def _watch(self, program: int) -> None:
        """Until the program has ended or shall end."""
        heard = time.monotonic()
        while self._status is None and not self._childless and not self._told_to_end:
            wait = None if self._silence is None else max(0.0, heard + self._silence - time.monotonic())
            ready, _, _ = select.select([sys.stdin.fileno(), self._wakes], [], [], wait)
            if not ready or (sys.stdin.fileno() in ready and not os.read(sys.stdin.fileno(), 4096)):
                return
            if sys.stdin.fileno() in ready:
                heard = time.monotonic()
            self._reap(program)

    def _end_all(self, program: int) -> None:
        """Ends whatever is left: each has the time to end by itself, and no more."""
        self._reap(program)
        for pid in () if self._childless else _descendants():
            _signal(pid, signal.SIGTERM)
            _signal(pid, signal.SIGCONT)  # who is stopped hears nothing
        self._wait(program, self._grace)
        give_up = time.monotonic() + _GIVE_UP_S
        while not self._childless and time.monotonic() < give_up:
            for pid in _descendants():  # again and again: one that was forked meanwhile is not in the list
                _signal(pid, signal.SIGKILL)
            self._wait(program, _AGAIN_S)

    def _wait(self, program: int, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._childless and (left := until - time.monotonic()) > 0:
            select.select([self._wakes], [], [], left)
            self._reap(program)

    def _reap(self, program: int) -> None:
        """Without a child there is no descendant either: the children of the dead become ours."""
        with suppress(BlockingIOError):
            os.read(self._wakes, 4096)
        try:
            while (child := os.waitpid(-1, os.WNOHANG))[0]:
                if child[0] == program:
                    self._status = child[1]
        except ChildProcessError:
            self._childless = True

    def _report(self, end: str) -> None:
        with suppress(OSError):  # nobody is there any more
            os.write(self._report_to, f"{self._token} {end}\n".encode())


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _descendants() -> list[int]:
    """All processes below this one."""
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
            except OSError:
                continue  # it has ended
            children.setdefault(int(fields[1]), []).append(int(name))
    found: list[int] = []
    below = [os.getpid()]
    while below:
        below = [child for pid in below for child in children.get(pid, ())]
        found += below
    return found


if __name__ == "__main__":
    Supervisor(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), float(sys.argv[4])).run(sys.argv[5:])
