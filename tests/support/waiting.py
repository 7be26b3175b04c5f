"""Waiting for what another task does."""

import asyncio
from collections.abc import Awaitable, Callable

_SECONDS = 5.0
_POLL_S = 0.005


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Returns once the condition holds.

    Raises:
        TimeoutError: it did not in time.
    """
    async with asyncio.timeout(_SECONDS):
        while not await condition():  # noqa: ASYNC110 - the other task knows nothing of us
            await asyncio.sleep(_POLL_S)
