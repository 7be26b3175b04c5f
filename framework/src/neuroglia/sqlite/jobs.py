"""What the threads of a database are given to do, and how the results come back to those who wait."""

import asyncio
import queue
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]


class Outbox:
    """Brings finished jobs to an event loop.

    Waking a loop costs more than handing over a result, so one wake-up brings all that is done when the loop comes
    to it. No job waits for another one.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._done: deque[Job] = deque()
        self._loop_is_called = False

    def put(self, jobs: "Sequence[Job]") -> None:
        """Hands jobs over, from any thread."""
        self._done.extend(jobs)
        if not self._loop_is_called:
            self._loop_is_called = True
            with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                self.loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        self._loop_is_called = False  # first: what is put from now on calls again
        while self._done:
            self._done.popleft().deliver()


@dataclass(slots=True)
class Job:
    """A work, who waits for it, and what came of it."""

    work: Work[Any]
    future: asyncio.Future[Any]
    outbox: Outbox
    result: Any = None
    error: Exception | None = None

    def run(self, connection: sqlite3.Connection) -> bool:
        """Does the work. Returns whether it went well."""
        self.error = None
        try:
            self.result = self.work(connection)
        except Exception as error:  # noqa: BLE001 - handed to the one who waits for it
            self.error = error
        return self.error is None

    def deliver(self) -> None:
        """Tells the one who waits; in the loop's thread."""
        if self.future.done():  # cancelled meanwhile
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class Line:
    """Where jobs wait for one of several threads. The thread that came to rest last is woken first, and no other one:
    its memory is still warm, and each thread that wakes wants the interpreter's lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: deque[Job | None] = deque()
        self._resting: list[queue.SimpleQueue[Job | None]] = []

    def put(self, job: Job | None) -> None:
        """Adds a job; None ends the thread that takes it."""
        with self._lock:
            if self._resting:
                self._resting.pop().put(job)
            else:
                self._jobs.append(job)

    def take(self, rest: "queue.SimpleQueue[Job | None]") -> Job | None:
        """The next job, for the thread that rests on this queue of its own until there is one."""
        with self._lock:
            if self._jobs:
                return self._jobs.popleft()
            self._resting.append(rest)
        return rest.get()
