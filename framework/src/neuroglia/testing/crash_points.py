"""Crash points: let a process die right before or after any of its writes, to see that nothing is half done."""

import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import NoReturn, TypeVar

from neuroglia.documents import DocumentStore, Write
from neuroglia.event_sourcing import Appended, EventStore, NewEvent

T = TypeVar("T")


class Crashed(BaseException):
    """The process is dead, as far as the test is concerned. Not an Exception: nothing can handle it."""


class CrashPoints:
    """The writes of the stores that it watches, each with a point before and one after it.

    They are called `before append to bank_account` and `after commit of accounts, checkpoints`. Play the scenario once
    and read `reached`; then play it again for each of these and let it crash there. After a crash nothing is written
    any more, whatever other tasks still try.

    Attributes:
        reached: the names of the points that were passed, in order.
        crashed: whether it has happened.
    """

    def __init__(self, die: Callable[[], NoReturn] | None = None) -> None:
        """`die`: how. By default `Crashed` is raised; a process of its own takes `kill_this_process`."""
        self.reached: list[str] = []
        self._die = die or _raise
        self._ahead: tuple[str, int] | None = None
        self.crashed = False

    def crash_at(self, point: str, *, nth: int = 1) -> None:
        """Crashes when this point is reached for the n-th time from now on."""
        self._ahead = point, self.reached.count(point) + nth

    def watch(self, store: EventStore | DocumentStore) -> None:
        """Puts points around the writes of a store object."""
        if isinstance(store, EventStore):
            append = store.append

            async def watched_append(stream: str, events: Sequence[NewEvent], expected: int) -> Appended:
                what = f"append to {stream.partition('-')[0]}"
                return await self._around(what, lambda: append(stream, events, expected))

            store.append = watched_append  # type: ignore[method-assign]
        else:
            commit = store.commit

            async def watched_commit(writes: Sequence[Write]) -> None:
                what = f"commit of {', '.join(sorted({write.collection for write in writes}))}"
                await self._around(what, lambda: commit(writes))

            store.commit = watched_commit  # type: ignore[method-assign]

    async def _around(self, what: str, write: Callable[[], Awaitable[T]]) -> T:
        self._reach(f"before {what}")
        result = await write()
        self._reach(f"after {what}")
        return result

    def _reach(self, point: str) -> None:
        if self.crashed:
            raise Crashed
        self.reached.append(point)
        if self._ahead == (point, self.reached.count(point)):
            self.crashed = True
            self._die()


def kill_this_process() -> NoReturn:
    """Ends this process as a power cut would."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def _raise() -> NoReturn:
    raise Crashed
