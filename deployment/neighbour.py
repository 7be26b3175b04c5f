"""Servers of others, beside the samples: each in threads of its own, and quiet."""

import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from typing import Any, TypeVar

from typing_extensions import override


class Neighbour(ThreadingHTTPServer):
    """A server whose callers may die in the midst of a request: in these stories that is no fault."""

    daemon_threads = True
    request_queue_size = 128  # many may knock at the same time

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Quiet:
    """Of a request handler: it writes no log."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - so it is called there
        """Says nothing."""


N = TypeVar("N", bound=Neighbour)


@contextmanager
def at_home(neighbour: N) -> Generator[N]:
    """Serves for as long as the context lasts."""
    thread = threading.Thread(target=neighbour.serve_forever, daemon=True)
    thread.start()
    try:
        yield neighbour
    finally:
        neighbour.shutdown()
        neighbour.server_close()
        thread.join()
