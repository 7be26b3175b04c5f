"""The stand-in as a process, from a test's side."""

import atexit
import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]


class StandIn:
    """A stand-in on a file. It can be killed and started again: at the same port, with what is in the file."""

    def __init__(self, data: Path) -> None:
        self._data = data
        self._process: subprocess.Popen[str] | None = None
        self.port = 0
        atexit.register(self.kill)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"esdb://127.0.0.1:{self.port}?tls=false"

    def start(self) -> "StandIn":
        """Starts the process; it takes calls when this returns."""
        flags = ["--port", str(self.port), "--data", str(self._data)]
        command = [sys.executable, "-m", "tests.support.eventstoredb", *flags]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self.port = int(self._answer())
        return self

    def tell(self, command: str) -> None:
        """Has something go wrong: see `Faults`."""
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()
        assert self._answer() == "ok"

    def pause(self) -> None:
        """Lets it fall silent: connections stand, and nobody answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Wakes it."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """Ends the process at once, without a chance to finish anything."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _answer(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()
