"""Somebody who listens: an HTTP server that takes CloudEvents and remembers them."""

import json
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, cast

from typing_extensions import override


class Listener(Protocol):
    """Somebody who is told events: where they are, and what they have heard so far."""

    @property
    def url(self) -> str: ...

    @property
    def heard(self) -> Sequence[dict[str, Any]]: ...


class Sink(ThreadingHTTPServer):
    """Where it is, and what it was told."""

    daemon_threads = True
    request_queue_size = 128  # many may knock at the same time

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Listener)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.heard: list[dict[str, Any]] = []


class _Listener(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Takes an event."""
        cast("Sink", self.server).heard.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(204)
        self.end_headers()

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


@contextmanager
def listening() -> Generator[Sink]:
    """A sink, for as long as the context lasts."""
    sink = Sink()
    thread = threading.Thread(target=sink.serve_forever, daemon=True)
    thread.start()
    try:
        yield sink
    finally:
        sink.shutdown()
        sink.server_close()
        thread.join()
