"""What would go on for ever, up to the moment at which the process is told to end."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeVar

from neuroglia.core.lifecycle import Stopping

T = TypeVar("T")


async def until_stopped(pieces: AsyncIterator[T], stopping: Stopping, idle_seconds: float) -> AsyncIterator[T | None]:
    """The same pieces, and None whenever none has come for so long: a sign of life for those in between, who close what
    is quiet. The server waits for open responses when it is to end: this one does not keep it waiting."""
    told = asyncio.ensure_future(stopping.wait())
    step: asyncio.Future[T] | None = None
    try:
        while True:
            step = asyncio.ensure_future(anext(pieces))
            while not step.done():
                await asyncio.wait([step, told], timeout=idle_seconds, return_when=asyncio.FIRST_COMPLETED)
                if told.done() and not step.done():
                    return
                if not step.done():
                    yield None
            yield step.result()
    except StopAsyncIteration:
        return
    finally:
        for task in (told, step):
            if task is not None:
                task.cancel()
