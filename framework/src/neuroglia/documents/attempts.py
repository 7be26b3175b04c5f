"""What every attempt at a piece of work has in common: how long it waits for the next one, and how it can fail."""

import asyncio

import tenacity

from neuroglia.core.errors import Unavailable


class AskedToWait(Exception):
    """A failure after which somebody wants to be left alone for `asked` seconds. Unlike `Unavailable`, it counts as an
    attempt."""

    asked: float = 0.0


def back_off(failures: int, error: BaseException | None = None, *, first: float, longest: float) -> float:
    """Seconds to wait after so many failures in a row: longer each time, and never the same for all who wait; at
    least as long as a service has asked for."""
    state = tenacity.RetryCallState(tenacity.AsyncRetrying(), None, (), {})
    state.attempt_number = failures
    pause = tenacity.wait_exponential_jitter(multiplier=first, max=longest, jitter=first)(state)
    return max(pause, error.asked if isinstance(error, Unavailable | AskedToWait) else 0.0)


class HandlerCancelled(Exception):
    """A handler awaited what somebody had cancelled. Nobody has cancelled the handler: it failed, as others do."""


def failure_of(cancelled: asyncio.CancelledError) -> BaseException:
    """What a handler's CancelledError means. Without this, it would end the handler's task, and nobody would know."""
    task = asyncio.current_task()
    return cancelled if task is None or task.cancelling() else HandlerCancelled()
