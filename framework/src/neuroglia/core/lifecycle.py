"""What starts, stops, commits and can be asked how it is."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager


class HostedService(ABC):
    """Something that runs beside the requests: started in the order of registration, stopped in reverse."""

    @abstractmethod
    async def start(self) -> None:
        """Begins the work and returns; the application serves requests once all services have started."""

    @abstractmethod
    async def stop(self) -> None:
        """Finishes or hands back what is in flight. It has a time limit and is then cancelled."""


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

    @abstractmethod
    def begin(self) -> None:
        """The command begins. From now on, what is to be confirmed can be taken as it is remembered."""

    @abstractmethod
    async def confirm(self) -> None:
        """Makes sure of what was taken on trust. Also asked when the command is refused.

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
