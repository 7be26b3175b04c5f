"""A sample as a real process on a free port of this machine."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import httpx
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

_START_S = 30
_STOP_S = 15


class Server:
    """Starts `python -m <sample>`, waits until it is ready, and stops it by its own pid."""

    def __init__(self, sample: str, data: Path, *, port: int | None = None, **environment: str) -> None:
        self.sample = sample
        self.data = data
        self.log = data / f"{sample}.log"
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._log_file: IO[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Starts the process and returns when it is ready.

        Raises:
            RuntimeError: it ended instead, or was not ready in time; the text holds the end of its log.
        """
        self.data.mkdir(parents=True, exist_ok=True)
        self._log_file = self.log.open("ab")
        environment = {
            **os.environ, "HOST": "127.0.0.1", "PORT": str(self.port), "DATA_DIR": str(self.data), **self._environment
        }  # fmt: skip
        self._process = subprocess.Popen(
            [sys.executable, "-m", self.sample], env=environment, stdout=self._log_file, stderr=subprocess.STDOUT
        )
        try:
            self._wait_until_ready()
        except httpx.HTTPError as error:
            self.stop()
            raise RuntimeError(f"{self.sample} did not start:\n{self.tail()}") from error

    @retry(
        retry=retry_if_exception_type(httpx.HTTPError),
        stop=stop_after_delay(_START_S),
        wait=wait_fixed(0.05),
        reraise=True,
    )
    def _wait_until_ready(self) -> None:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.sample} ended at once:\n{self.tail()}")
        ready = httpx.get(f"{self.url}/health/ready").raise_for_status()
        if ready.json()["status"] != "ready":  # up, but its read models are still catching up
            raise httpx.HTTPError("degraded")

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Ends the process and returns its exit code; one that does not end in time is killed."""
        assert self._process is not None
        self._process.send_signal(by)
        try:
            return self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
        finally:
            assert self._log_file is not None
            self._log_file.close()

    def wait(self) -> int:
        """Waits until the process ends by itself."""
        assert self._process is not None
        return self._process.wait()

    def tail(self, lines: int = 20) -> str:
        """The end of the log."""
        return "\n".join(self.log.read_text().splitlines()[-lines:])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self.stop()


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
