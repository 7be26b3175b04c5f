"""Applications in processes of their own, on real sockets."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping

_START_S = 60.0
_PAUSE_S = 0.002


def post_request(port: int) -> bytes:
    """One small POST, ready to be sent."""
    body = b'{"account_id":"0193f0a7-6f0c-7d53-a1f5-5f2a4c1e9b10","amount":"12.50","reference":"rent"}'
    token = os.environ.get("TESTS_TOKEN", "none").encode()
    return (
        b"POST /api/v1/movements HTTP/1.1\r\nhost: 127.0.0.1:%d\r\ncontent-type: application/json\r\n"
        b"authorization: Bearer %s\r\ncontent-length: %d\r\n\r\n%s" % (port, token, len(body), body)
    )


def get_request(path: str, port: int) -> bytes:
    return f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n".encode()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def started(module: str, *arguments: str, environment: Mapping[str, str] | None = None) -> Iterator[None]:
    """Runs `python -m module` until the end of the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_200(request: bytes, port: int) -> None:
    """Asks again and again until the server says 200."""
    deadline = time.perf_counter() + _START_S
    while time.perf_counter() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=_START_S) as connection:
                connection.sendall(request)
                if connection.recv(4096).startswith(b"HTTP/1.1 200"):
                    return
        except OSError:
            pass
        time.sleep(_PAUSE_S)
    raise TimeoutError(f"nothing answered 200 on port {port} in {_START_S:.0f} s")
