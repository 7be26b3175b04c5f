"""Many streams at the same time, each of them in order."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from typing import Final, Generic, TypeVar

from neuroglia.documents.attempts import failure_of

T = TypeVar("T")
_ALONE_S: Final = 30.0


class Lanes(Generic[T]):
    """Does work with different keys at the same time and work with one key in order, without a limit on keys."""

    def __init__(
        self, group: asyncio.TaskGroup, work: Callable[[T], Awaitable[None]], *, workers: int, waiting: int
    ) -> None:
        """`workers`: so many pieces are done at the same time; `waiting`: so many are taken in at most."""
        self._group, self._work = group, work
        self._workers = asyncio.Semaphore(workers)
        self._room = asyncio.Semaphore(waiting)
        self._lanes: dict[str, deque[T]] = {}

    async def put(self, key: str, piece: T) -> None:
        """Takes in a piece of work, as soon as there is room."""
        await self._room.acquire()
        if key in self._lanes:
            self._lanes[key].append(piece)
        else:
            self._lanes[key] = deque([piece])
            self._group.create_task(self._run(key))

    async def _run(self, key: str) -> None:
        lane = self._lanes[key]
        while lane:
            async with self._workers:
                try:
                    await self._work(lane[0])
                except asyncio.CancelledError as cancelled:  # else this lane would end, and nobody would know
                    raise failure_of(cancelled) from None
            lane.popleft()
            self._room.release()
        del self._lanes[key]


class Turns:
    """So many at the same time, or one that is alone: for half a minute at most, for one that hangs is not to hold up
    the others."""

    def __init__(self, many: int) -> None:
        self._many, self._room = many, asyncio.Semaphore(many)
        self._one = asyncio.Lock()  # of two that each hold a part of the room, none would get the rest

    @asynccontextmanager
    async def turn(self, *, alone: bool) -> AsyncGenerator[None]:
        """For as long as the context lasts."""
        async with AsyncExitStack() as held:
            if alone:
                await held.enter_async_context(self._one)
            await held.enter_async_context(self._room)
            if alone:
                rest = held.enter_context(ExitStack())
                for _ in range(self._many - 1):
                    await self._room.acquire()
                    rest.callback(self._room.release)
                held.callback(asyncio.get_running_loop().call_later(_ALONE_S, rest.close).cancel)
            yield


class LowWaterMark:
    """Up to which event everything is done, when later ones may be done before earlier ones.

    Attributes:
        position: the mark; `event_id` is the event there.
        last: where the last event stands that was begun.
    """

    def __init__(self, position: int, event_id: str | None = None) -> None:
        self.position, self.event_id, self.last = position, event_id, position
        self._begun: deque[tuple[int, str]] = deque()
        self._done: set[int] = set()

    def __len__(self) -> int:
        """How many events stand between the mark and the last that was begun."""
        return len(self._begun)

    def begin(self, position: int, event_id: str) -> None:
        """An event at this position, behind all others so far, is to be done."""
        self.last = position
        self._begun.append((position, event_id))

    def finish(self, position: int) -> None:
        """It is done."""
        self._done.add(position)
        while self._begun and self._begun[0][0] in self._done:
            self.position, self.event_id = self._begun.popleft()
            self._done.remove(self.position)
