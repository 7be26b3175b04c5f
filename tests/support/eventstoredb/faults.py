"""What a test can make go wrong, without an end of the process."""

import asyncio
from collections.abc import Coroutine
from typing import Any, Never

import grpc


class Faults:
    """Commands, one a line: `delay SECONDS` (before each call), `lose COUNT` (so many answers to appends get lost after
    they are committed), `refuse COUNT` (so many calls find the server not ready), `drop` (ends all reads and
    subscriptions that are under way)."""

    def __init__(self) -> None:
        self._delay = 0.0
        self._to_lose = 0
        self._to_refuse = 0
        self._reading: set[asyncio.Task[Any]] = set()

    def command(self, line: str) -> None:
        """Takes a command."""
        match line.split():
            case ["delay", seconds]:
                self._delay = float(seconds)
            case ["lose", count]:
                self._to_lose = int(count)
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

    async def answered(self, context: Any) -> None:
        """When an append is committed, before its answer is sent."""
        if self._to_lose:
            self._to_lose -= 1
            await _not_ready(context)

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


async def _not_ready(context: Any) -> Never:
    await context.abort(grpc.StatusCode.UNAVAILABLE, "Server Is Not Ready")
    raise AssertionError
