"""A listener where a server was: it takes connections, counts them, and closes them at once."""

import threading
import time
from contextlib import suppress
from socket import SHUT_RDWR, create_server
from types import TracebackType
from typing import Self


class DeadEnd:
    """Stands at a port until the end of the block. `attempts` tells how often somebody came."""

    def __init__(self, port: int) -> None:
        self.attempts = 0
        self._begin = self._end = 0.0
        self._socket = create_server(("127.0.0.1", port))
        self._thread = threading.Thread(target=self._count, daemon=True)

    @property
    def attempts_a_second(self) -> float:
        """How often somebody came while it stood there. A machine that is busy only makes it less."""
        return self.attempts / (self._end - self._begin)

    def __enter__(self) -> Self:
        self._begin = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError):
            self._socket.shutdown(SHUT_RDWR)  # else the thread goes on waiting for the next one
        self._socket.close()
        self._end = time.monotonic()
        self._thread.join()

    def _count(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.attempts += 1
                connection.close()
