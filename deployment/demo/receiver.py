"""A caller's server: it takes callbacks, believes those that are signed, and remembers them."""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, cast

from deployment.demo.verification import verify_callback
from deployment.neighbour import Neighbour, Quiet, at_home


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


class Receiver(Neighbour):
    """Where it is, and what came.

    Attributes:
        secrets: what signatures are verified with; whoever has none is not believed.
        answers: statuses for the next callbacks that are believed, used up in order; 204 for all others.
        callbacks: all that was believed, repeats included.
        refused: how many were not.
        meanwhile: what happens once, before the next one that is believed is answered.
    """

    def __init__(self, address: str) -> None:
        super().__init__((address, 0), _Listener)
        self.url = f"http://{address}:{self.server_port}/callbacks"
        self.secrets: list[str] = []
        self.answers: list[int] = []
        self.callbacks: list[Callback] = []
        self.refused = 0
        self.meanwhile: Callable[[], None] | None = None


class _Listener(Quiet, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Takes a callback."""
        self.close_connection = True
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


def receiving(address: str = "127.0.0.1") -> AbstractContextManager[Receiver]:
    """A receiver, for as long as the context lasts."""
    return at_home(Receiver(address))
