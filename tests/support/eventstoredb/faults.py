"""What a test can make go wrong, without an end of the process."""

import asyncio
import os
import socket
from collections.abc import Coroutine
from typing import Any, Never

import grpc


class Faults:
    """Commands, one a line: `delay SECONDS` (before each call), `dig SECONDS` (before each page of the log),
    `lose COUNT` (so many appends find the server not ready after they are committed), `cut COUNT` (so many find all
    connections closed then), `refuse COUNT` (so many calls find the server not ready), `drop` (ends all reads and
    subscriptions that are under way), `age` (from now on it is a server that does not tell positions)."""

    def __init__(self) -> None:
        self.is_old = False
        self._delay = self._digging = 0.0
        self._to_lose = self._to_cut = 0
        self._to_refuse = 0
        self._reading: set[asyncio.Task[Any]] = set()

    def command(self, line: str) -> None:
        """Takes a command."""
        match line.split():
            case ["delay", seconds]:
                self._delay = float(seconds)
            case ["dig", seconds]:
                self._digging = float(seconds)
            case ["lose", count]:
                self._to_lose = int(count)
            case ["cut", count]:
                self._to_cut = int(count)
            case ["age"]:
                self.is_old = True
            case ["refuse", count]:
                self._to_refuse = int(count)
            case ["drop"]:
                for task in self._reading:
                    task.cancel()
            case _:
                raise ValueError(line)

    async def before(self, context: Any) -> None:
        """At the start of each call."""
        if self._delay:
            await asyncio.sleep(self._delay)
        if self._to_refuse:
            self._to_refuse -= 1
            await _not_ready(context)

    async def dig(self) -> None:
        """Before the log is looked through."""
        await asyncio.sleep(self._digging)

    async def answered(self, context: Any) -> None:
        """When an append is committed, before its answer is sent."""
        if self._to_lose:
            self._to_lose -= 1
            await _not_ready(context)
        if self._to_cut:
            self._to_cut -= 1
            _cut_connections()

    async def droppable(self, context: Any, reading: Coroutine[Any, Any, None]) -> None:
        """Sends the answers of a read, unless that is dropped meanwhile."""
        task, call = asyncio.ensure_future(reading), asyncio.current_task()
        self._reading.add(task)
        try:
            await task
        except asyncio.CancelledError:
            if call is None or call.cancelling():  # the client has gone
                raise
            await _not_ready(context)
        finally:
            self._reading.discard(task)


def _cut_connections() -> None:
    """Closes what clients have open to this process; the library gives no hold of it."""
    for number in map(int, os.listdir("/proc/self/fd")):
        try:
            with socket.socket(fileno=os.dup(number)) as held:
                if held.family in {socket.AF_INET, socket.AF_INET6}:
                    held.getpeername()
                    held.shutdown(socket.SHUT_RDWR)
        except OSError:  # it is no connection
            continue


async def _not_ready(context: Any) -> Never:
    await context.abort(grpc.StatusCode.UNAVAILABLE, "Server Is Not Ready")
    raise AssertionError
