"""Waiting for what another task does."""

import asyncio
from collections.abc import Awaitable, Callable

_SECONDS = 60.0
_POLL_S = 0.005
_CANCELLED_STEPS = 60


async def eventually(condition: Callable[[], Awaitable[bool]], seconds: float = _SECONDS) -> None:
    """Returns once the condition holds.

    Raises:
        TimeoutError: it did not in time.
    """
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - the other task knows nothing of us
            await asyncio.sleep(_POLL_S)


async def ends_when_cancelled(call: Callable[[], Awaitable[object]]) -> bool:
    """Whether a task that calls it for ever can be cancelled, at whichever of its first steps."""

    async def for_ever() -> None:
        while True:
            await call()

    for steps in range(_CANCELLED_STEPS):
        task = asyncio.create_task(for_ever())
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        if (await asyncio.wait([task], timeout=_SECONDS))[1]:
            task.cancel()
            return False
    return True
