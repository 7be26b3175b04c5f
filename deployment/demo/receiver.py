"""A caller's server: it takes callbacks, believes those that are signed, and remembers them."""

import json
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast

from typing_extensions import override

from deployment.demo.verification import verify_callback


@dataclass(frozen=True)
class Callback:
    """One that came. `attempt` is the gateway's count; `status` what it was answered with. `content` is the body as it
    came, and `headers` are in lower case: both are needed to verify it."""

    id: str
    attempt: int
    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def body(self) -> dict[str, Any]:
        """What it says."""
        return dict(json.loads(self.content))


class Receiver(ThreadingHTTPServer):
    """Where it is, and what came.

    Attributes:
        secrets: what signatures are verified with; whoever has none is not believed.
        answers: statuses for the next callbacks that are believed, used up in order; 204 for all others.
        callbacks: all that was believed, repeats included.
        refused: how many were not.
        meanwhile: what happens once, before the next one that is believed is answered.
    """

    daemon_threads = True

    def __init__(self, address: str) -> None:
        super().__init__((address, 0), _Listener)
        self.url = f"http://{address}:{self.server_port}/callbacks"
        self.secrets: list[str] = []
        self.answers: list[int] = []
        self.callbacks: list[Callback] = []
        self.refused = 0
        self.meanwhile: Callable[[], None] | None = None


class _Listener(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Takes a callback. Who sent it may be gone by then."""
        self.close_connection = True
        with suppress(ConnectionError):
            self.send_response(self._status(cast("Receiver", self.server)))
            self.send_header("content-length", "0")
            self.end_headers()

    def _status(self, receiver: Receiver) -> int:
        length = int(self.headers["content-length"])
        if len(body := self.rfile.read(length)) < length:
            raise ConnectionError("its sender has died in the midst of it")
        headers = {name.lower(): value for name, value in self.headers.items()}
        if not any(verify_callback(headers, body, secret) for secret in receiver.secrets):
            receiver.refused += 1
            return 401
        status = receiver.answers.pop(0) if receiver.answers else 204
        attempt = int(headers["webhook-attempt"])
        receiver.callbacks.append(Callback(headers["webhook-id"], attempt, status, headers, body))
        meanwhile, receiver.meanwhile = receiver.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return status

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@contextmanager
def receiving(address: str = "127.0.0.1") -> Generator[Receiver]:
    """A receiver, for as long as the context lasts."""
    receiver = Receiver(address)
    thread = threading.Thread(target=receiver.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.shutdown()
        receiver.server_close()
        thread.join()
