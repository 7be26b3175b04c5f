"""A sample as a real process on a loopback port: started, watched until it is ready, ended by its own pid."""

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import tenacity

START_S: Final = 30.0
_STOP_S: Final = 15.0
_POLL_S: Final = 0.02


class PortTaken(RuntimeError):
    """Somebody else listens where a service was to be."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} is taken by another process")
        self.port = port


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], bool], what: str, seconds: float) -> None:
    """Returns once the condition holds.

    Raises:
        TimeoutError: it did not in time; says what was waited for.
    """
    wait = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda holds: not holds),
        stop=tenacity.stop_after_delay(seconds),
        wait=tenacity.wait_fixed(_POLL_S),
    )
    try:
        wait(condition)
    except tenacity.RetryError:
        raise TimeoutError(f"waited {seconds} s for {what}") from None


@dataclass(frozen=True)
class ServiceProcess:
    """A running service. Its output is in files, so that it never waits for a reader."""

    process: subprocess.Popen[bytes]
    port: int
    stdout: Path
    stderr: Path

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What it has logged: every line of its standard output, which must be JSON."""
        return [json.loads(line) for line in self.stdout.read_text().splitlines()]

    def is_ready(self) -> bool:
        """Whether it can serve and its read models have caught up.

        Raises:
            RuntimeError: it has ended, so it never will; the text is what it wrote.
        """
        if (code := self.process.poll()) is not None:
            raise RuntimeError(f"it ended with {code}:\n{self.output()}")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=START_S)
        try:
            connection.request("GET", "/health/ready")
            answer = connection.getresponse()
            return answer.status == 200 and json.load(answer)["status"] == "ready"
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def output(self, lines: int = 20) -> str:
        """The end of all that it wrote."""
        written = self.stdout.read_text() + self.stderr.read_text()
        return "\n".join(written.splitlines()[-lines:])

    def accepts_connections(self) -> bool:
        """Whether somebody listens on its port."""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def wait(self) -> int:
        """Its exit code, once it has ended."""
        return self.process.wait(_STOP_S)

    def wait_until_ready(self, within: float = START_S) -> None:
        """Returns once it is ready; raises like `is_ready` and `until`."""
        until(self.is_ready, "the service to be ready", within)

    def terminate(self) -> int:
        """Asks it to end (SIGTERM). Returns its exit code."""
        self.process.terminate()
        return self.wait()

    def kill(self) -> None:
        """Ends it like a power cut (SIGKILL)."""
        self.process.kill()
        self.wait()


def start(module: str, folder: Path, *, port: int | None = None, **environment: str) -> ServiceProcess:
    """Starts `python -m module` with its data and output in `folder`. Returns at once; see `serving`.

    Raises:
        PortTaken: somebody listens on the port already.
    """
    folder.mkdir(0o700, parents=True, exist_ok=True)
    port = port or free_port()
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise PortTaken(port)
    settings = {"HOST": "127.0.0.1", "PORT": str(port), "DATA_DIR": str(folder.absolute()), **environment}
    stdout, stderr = folder / "stdout.log", folder / "stderr.log"
    with stdout.open("ab") as out, stderr.open("ab") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", module],
            env={**os.environ, **settings},
            cwd=folder,
            stdout=out,
            stderr=err,
            process_group=0,  # Ctrl-C is for whoever has started it, and ends it: else both would end at once
        )
    return ServiceProcess(process, port, stdout, stderr)


@contextmanager
def serving(
    module: str, folder: Path, *, port: int | None = None, within: float = START_S, **environment: str
) -> Generator[ServiceProcess]:
    """A service that is ready `within` so many seconds; at the end of the block it is gone, however the block ended."""
    service = start(module, folder, port=port, **environment)
    try:
        service.wait_until_ready(within)
        yield service
    finally:
        if service.process.poll() is None:
            service.terminate()
