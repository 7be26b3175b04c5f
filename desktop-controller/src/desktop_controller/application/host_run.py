"""One run of a command on the host."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from desktop_controller.domain.models.command_status import CommandStatus
from neuroglia.core import RequestContext


class HostRun:
    """A command in the hands of the runner, from its hand-over to its end.

    Attributes:
        id: of this run; a command that is handed over again has another one.
        context: in which its steps are recorded.
        waits: it has not had its turn yet, so it has left nothing that would have to be ended.
        ending: why it is ended before its time, if it is.
    """

    def __init__(self, id: str, command_id: str, context: RequestContext) -> None:
        self.id = id
        self.command_id = command_id
        self.context = context
        self.waits = True
        self.ending: tuple[CommandStatus, str] | None = None
        self._execution: asyncio.Task[int] | None = None

    async def execute(self, work: Coroutine[Any, Any, int], seconds: float) -> int:
        """Runs it to its end and returns the exit code.

        Raises:
            CancelledError: it was ended; `ending` says why.
        """
        self._execution = asyncio.create_task(work)
        if self.ending is not None:
            self._execution.cancel()
        done, _ = await asyncio.wait([self._execution], timeout=seconds)
        if not done:
            self.end(CommandStatus.TIMED_OUT, f"It took longer than {seconds:g} s.")
        return await self._execution

    def end(self, status: CommandStatus, reason: str) -> None:
        """Ends it, for the first reason that comes. It is cancelled once: a second cancellation would stop the
        executor from ending what the program has started."""
        if self.ending is None:
            self.ending = status, reason
            if self._execution is not None:
                self._execution.cancel()
