"""Work that is told to end, and then waited for, when whoever wants it is cancelled."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_its_end(work: Coroutine[Any, Any, T], *, on_cancel: Callable[[], None]) -> T:
    """The result of the work. A cancellation is not passed on to it: it calls `on_cancel`, and is raised when the work
    has ended on its own."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
            on_cancel()
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # whatever it says: nobody wants to know any more
        raise cancelled
    return task.result()
