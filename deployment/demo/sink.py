"""Somebody who listens: an HTTP server that takes CloudEvents and remembers them."""

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol, cast

from deployment.neighbour import Neighbour, Quiet, at_home


class Listener(Protocol):
    """Somebody who is told events: where they are, and what they have heard so far."""

    @property
    def url(self) -> str: ...

    @property
    def heard(self) -> Sequence[dict[str, Any]]: ...


class Sink(Neighbour):
    """Where it is, and what it was told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Listener)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.heard: list[dict[str, Any]] = []


class _Listener(Quiet, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Takes an event."""
        cast("Sink", self.server).heard.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(204)
        self.end_headers()


def listening() -> AbstractContextManager[Sink]:
    """A sink, for as long as the context lasts."""
    return at_home(Sink())
