"""Servers around a gateway that dies: they live on, and remember what came to them, and how often."""

import json
import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager
from http.server import BaseHTTPRequestHandler
from typing import Final, cast

from deployment.neighbour import Neighbour, Quiet, at_home

_FILLER: Final = "x" * 600_000
"""More than one piece of a download."""


def data_of(mark: str) -> bytes:
    """What stands behind the data URL of a mark."""
    return json.dumps({"mark": mark, "filler": _FILLER}).encode()


def response_of(key: str) -> Mapping[str, str]:
    """What the agent answers to an attempt: always the same."""
    return {"text": f"an answer to {key}"}


class Neighbours(Neighbour):
    """A server of callers' data, an agent that others bring the answers of, and a chat API.

    Attributes:
        submitted: how often each idempotency key came.
        fetched: how often each path of data was asked for.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Listener)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.submitted: Counter[str] = Counter()
        self.fetched: Counter[str] = Counter()
        self._counting = threading.Lock()

    def submit(self, key: str) -> int:
        """How often it has come, this time included."""
        with self._counting:
            self.submitted[key] += 1
            return self.submitted[key]


class _Listener(Quiet, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Data, or the keys that the agent has taken."""
        neighbours = cast("Neighbours", self.server)
        if self.path == "/submissions":
            self._answer(200, json.dumps([*neighbours.submitted]).encode())
        else:
            neighbours.fetched[self.path] += 1
            self._answer(200, data_of(self.path.rpartition("/")[2]))

    def do_POST(self) -> None:
        """A prompt, for the agent or for the chat API."""
        self.rfile.read(int(self.headers["content-length"]))
        key = self.headers["idempotency-key"]
        times = cast("Neighbours", self.server).submit(key)
        if self.path == "/submissions":
            self._answer(202 if times == 1 else 409, b"{}")
        else:
            choice = {"message": {"content": response_of(key)["text"]}, "finish_reason": "stop"}
            self._answer(200, json.dumps({"choices": [choice]}).encode())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("connection", "close")  # which this server keeps to
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def living_around() -> AbstractContextManager[Neighbours]:
    """Neighbours, for as long as the context lasts."""
    return at_home(Neighbours())
