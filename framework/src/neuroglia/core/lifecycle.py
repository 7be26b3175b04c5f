"""What starts, stops, commits and can be asked how it is."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Final

from typing_extensions import override

_log: Final = logging.getLogger("neuroglia.hosting")
_STOP_S: Final = 5.0


class HostedService(ABC):
    """Something that runs beside the requests: started in the order of registration, stopped in reverse."""

    @abstractmethod
    async def start(self) -> None:
        """Begins the work and returns; the application serves requests once all services have started."""

    @abstractmethod
    async def stop(self) -> None:
        """Finishes or hands back what is in flight. It has a time limit and is then cancelled."""

    @property
    def alive(self) -> bool:
        """False when something ended that should be running: this process is broken."""
        return True


class HostedTasks(HostedService):
    """A hosted service whose work goes on in tasks, until it is told to stop."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    @property
    @override
    def alive(self) -> bool:
        return not any(task.done() for task in self._tasks)

    def _begin(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Runs it in a task. When it ends before `_end` is called, that is told."""
        self._tasks.append(asyncio.create_task(work, name=name))
        self._tasks[-1].add_done_callback(_report_death)

    async def _end(self) -> None:
        """Waits for the tasks, which know that they shall end, and cancels those that do not."""
        _, unfinished = await asyncio.wait(self._tasks, timeout=_STOP_S) if self._tasks else ((), ())
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        self._tasks = []


def _report_death(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.critical("a task died", exc_info=error, extra={"task": task.get_name()})


class Stopping(asyncio.Event):
    """Set as soon as this process is told to end: what would go on for ever ends by itself then. (Hosted services are
    stopped later, when all requests are answered.)"""

    @asynccontextmanager
    async def ending(self, end: Callable[[], Awaitable[None]]) -> AsyncGenerator[None]:
        """Around something endless, as a stream of events to somebody who listens. `end` is called when the process is
        told to end, and in any case at the end of the block."""

        async def wait() -> None:
            await self.wait()
            await end()

        waiting = asyncio.create_task(wait())
        try:
            yield
        finally:
            waiting.cancel()
            await end()


class UnitOfWork(ABC):
    """What a command stands on, changed and not yet stored: committed after its handler, in the same scope."""

    def begin(self) -> None:  # noqa: B027
        """The command begins. From now on, what is to be confirmed can be taken as it is remembered."""

    async def confirm(self) -> None:  # noqa: B027
        """Makes sure of what was taken on trust; by default, nothing is. Also asked when the command is refused.

        Raises:
            ConcurrencyError: it is otherwise by now; the command has to be decided anew.
        """

    @abstractmethod
    async def commit(self) -> None:
        """Confirms, and stores everything; or raises and stores nothing."""


class BackingService(ABC):
    """A service of the outside that this one cannot work without. Opened before all else, closed last."""

    name: str

    @abstractmethod
    async def open(self) -> None:
        """Connects and prepares what is needed.

        Raises:
            Unavailable: it cannot be reached or used.
        """

    @abstractmethod
    async def aclose(self) -> None:
        """Gives the connection back."""

    @abstractmethod
    async def ping(self) -> None:
        """Really asks it.

        Raises:
            Unavailable: it does not answer, or not as it should.
        """
