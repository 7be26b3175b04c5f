"""Noticing that a file was written, by whichever process."""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import suppress
from typing import Final

_STEP_MS: Final = 5
"""Changes are told when a step without any has passed: the news is about two steps old."""
_LONGEST_STORM_MS: Final = 50
_ECHOES_S: Final = (0.02, 0.05, 0.1, 0.3, 1.0)
"""A commit is written, then flushed, then seen, and only the first is told: with a slow disk one look is too early."""
_NO_TIME_LIMIT: Final = 0
_log: Final = logging.getLogger("neuroglia.sqlite")


async def file_changes(path: str) -> AsyncGenerator[None]:
    """Yields at the start and soon after each change of a file, with a few echoes. Close it at the end.

    Not every file system notifies: whoever waits for the file should look at it now and then besides.
    """
    loop, changed, stop = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop was closed: nobody listens any more
            loop.call_soon_threadsafe(changed.set)

    thread = threading.Thread(target=_watch, args=(path, stop, tell), name="sqlite-watch", daemon=True)
    thread.start()
    try:
        echoes: Iterator[float] = iter(())
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(next(echoes, None)):
                    await changed.wait()
                changed.clear()
                echoes = iter(_ECHOES_S)
            yield
    finally:
        stop.set()
        await asyncio.to_thread(thread.join)


def _watch(path: str, stop: threading.Event, tell: Callable[[], None]) -> None:
    from watchfiles._rust_notify import RustNotify  # only who follows a file needs it

    try:
        with RustNotify(
            [path], debug=False, force_polling=False, poll_delay_ms=0, recursive=False, ignore_permission_denied=False
        ) as notify:
            tell()  # of what was written before this began
            while notify.watch(_LONGEST_STORM_MS, _STEP_MS, _NO_TIME_LIMIT, stop) != "stop":
                tell()
    except (OSError, RuntimeError) as error:  # there may be too many watches on this machine
        _log.warning("the file system does not notify", extra={"error": type(error).__name__})
