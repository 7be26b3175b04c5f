"""What a runner does when something fails: it tells, waits, and tries again, until it is told to stop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, TypeVar

from neuroglia.core.errors import Unavailable
from neuroglia.documents.attempts import back_off, failure_of
from neuroglia.event_sourcing.subscriptions.checkpoints import CheckpointMoved
from neuroglia.event_sourcing.subscriptions.status import SubscriptionState, SubscriptionStatus

T = TypeVar("T")
_log: Final = logging.getLogger("neuroglia.subscriptions")
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 30.0


class Stopped(Exception):
    """The runner is told to stop; what is not finished is for the next start."""


class Patience:
    """The pauses of one runner, which end when it is told to stop."""

    def __init__(self, status: SubscriptionStatus) -> None:
        self.status = status
        self.stopping = asyncio.Event()
        self._waiting: set[object] = set()  # the work that waits for a backing service

    async def pause(self, seconds: float) -> None:
        """Waits.

        Raises:
            Stopped: the runner was told to stop.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.stopping.wait()
        if self.stopping.is_set():
            raise Stopped

    async def pause_after(self, failures: int, error: Exception | None = None) -> None:
        """Waits longer from failure to failure, at least as long as a service has asked for. Raises like `pause`."""
        await self.pause(back_off(failures, error, first=_FIRST_PAUSE_S, longest=_LONGEST_PAUSE_S))

    async def insist(self, work: Callable[[], Awaitable[T]]) -> T:
        """Does the work, again and again as long as a backing service does not answer. Raises like `pause`."""
        failures = 0
        try:
            while True:
                failures += 1
                try:
                    return await work()
                except Unavailable as failure:
                    self._waiting.add(work)
                    self.note(failure)
                    reason = failure
                except asyncio.CancelledError as cancelled:  # of a handler, or of the end of its scope
                    raise failure_of(cancelled) from None
                await self.pause_after(failures, reason)
        finally:
            self._waiting.discard(work)
            if failures > 1:  # nothing else may come that tells it
                self.recovered()

    async def try_once(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Insists on the work. False: it has failed otherwise than for a backing service that does not answer.

        Raises:
            Stopped, CheckpointMoved: which tells nothing of the work.
        """
        try:
            await self.insist(work)
        except (CheckpointMoved, Stopped):
            raise
        except Exception as failure:  # noqa: BLE001 - whatever a handler raises
            self.note(failure)
            return False
        return True

    def recovered(self, state: SubscriptionState | None = None) -> None:
        """Tells that it goes on, unless there is something that still waits."""
        if not self._waiting:
            self.status.error = None
            if state is not None or self.status.state is SubscriptionState.RETRYING:
                self.status.state = state or SubscriptionState.LIVE

    def note(self, error: BaseException | None) -> None:
        """Tells of a failure after which it is tried again."""
        self.status.state = SubscriptionState.RETRYING
        self.status.error = type(error).__name__
        told = {"subscription": self.status.name, "position": self.status.position}
        _log.error("subscription failed, trying again", exc_info=error, extra=told)
