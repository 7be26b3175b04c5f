"""Noticing that a file was written, by whichever process."""

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Final

_STEP_MS: Final = 5
"""Changes within a step are told together, when a step without any has passed: the news is two steps old at most."""
_LONGEST_STORM_MS: Final = 50
_SAFETY_MS: Final = 5_000
"""How often it is told without a change, for file systems that do not notify."""
_log: Final = logging.getLogger("neuroglia.sqlite")


async def file_changes(path: str) -> AsyncGenerator[None]:
    """Yields at the start, soon after each change of a file, and every few seconds in any case. Close it at the end."""
    loop, changed, stop = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def tell() -> None:
        with suppress(RuntimeError):  # the loop was closed: nobody listens any more
            loop.call_soon_threadsafe(changed.set)

    thread = threading.Thread(target=_watch, args=(path, stop, tell), name="sqlite-watch", daemon=True)
    thread.start()
    try:
        while True:
            await changed.wait()
            changed.clear()
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
            while notify.watch(_LONGEST_STORM_MS, _STEP_MS, _SAFETY_MS, stop) != "stop":
                tell()
    except (OSError, RuntimeError) as error:  # too many watches on this machine, say
        _log.warning("no notifications, looking now and then", extra={"error": type(error).__name__})
        while not stop.wait(_SAFETY_MS / 1000):
            tell()
