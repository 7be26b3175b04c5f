"""The newest events, and whoever waits for the next one."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kept:
    """An event as JSON text, with what it is found by, and the how-many-th it was."""

    number: int
    type: str
    subject: str | None
    text: str


class KeptEvents:
    """A bounded memory: the oldest go first."""

    def __init__(self, events: int, size: int) -> None:
        self._kept: deque[Kept] = deque()
        self._most, self._most_size = events, size
        self._size = 0
        self._last = 0
        self._came = asyncio.Condition()

    async def add(self, type: str, subject: str | None, text: str) -> None:
        """Keeps what has come, and nothing that is too old or too much."""
        async with self._came:
            self._last += 1
            self._kept.append(Kept(self._last, type, subject, text))
            self._size += len(text)
            while len(self._kept) > self._most or self._size > self._most_size:
                self._size -= len(self._kept.popleft().text)
            self._came.notify_all()

    def after(self, number: int) -> Sequence[Kept]:
        """What is kept of those that came after this one, oldest first."""
        return [one for one in self._kept if one.number > number]

    async def follow(self, number: int) -> AsyncGenerator[Kept]:
        """What comes after this one, for ever. Who is too slow misses what is no longer kept."""
        if number > self._last:  # it counts what another process has seen
            number = 0
        while True:
            async with self._came:
                while self._last <= number:
                    await self._came.wait()
            found = self.after(number)
            number = self._last
            for one in found:
                yield one
