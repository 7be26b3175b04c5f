"""How often one caller may ask: so many times within a window that moves along (the library `limits`)."""

import math
from collections import deque
from functools import lru_cache
from typing import Final

import limits
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from pydantic_core import PydanticCustomError
from typing_extensions import override

from neuroglia.core.clock import Clock
from neuroglia.core.errors import TooManyRequests

_MOST: Final = 10_000
"""A window that moves has to know each request in it."""
_LONGEST_S: Final = 24 * 60 * 60
"""What is counted in memory would rarely live to the end of a longer window."""


@lru_cache(maxsize=1_000)
def parse_limit(text: str) -> limits.RateLimitItem:
    """What a text such as `60/minute` or `100 per 2 hours` means.

    Raises:
        ValueError: it means nothing, or more than can be counted.
    """
    try:
        (item,) = limits.parse_many(text)
    except ValueError:
        raise PydanticCustomError("rate_limit", 'Write one limit, such as "60/minute".') from None
    if not 1 <= item.amount <= _MOST or item.get_expiry() > _LONGEST_S:
        raise PydanticCustomError("rate_limit", "Write a limit of 1 to {most} within at most a day.", {"most": _MOST})
    return item


class RateLimits:
    """Counts where the storage is: replicas with one of their own each let a caller ask as often at each of them.

    Those that are to count together get a shared one: `services.add_singleton(Storage, …)` with another of
    `limits.aio.storage`.
    """

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._limiter = MovingWindowRateLimiter(storage)
        self._clock = clock

    async def take(self, limit: str, who: str) -> None:
        """Counts one request. Those that are refused do not count: who keeps asking gets on all the same.

        Raises:
            TooManyRequests: there were as many as may be; says when there can be another.
        """
        item = parse_limit(limit)
        if not await self._limiter.hit(item, who):
            free, _ = await self._limiter.get_window_stats(item, who)
            wait = math.ceil(free - self._clock.now().timestamp())
            raise TooManyRequests("There were too many requests. Wait before the next one.", retry_after=max(1, wait))


class Windows(MemoryStorage):
    """The library's storage in memory, but by our clock, and without a thread that looks at each key at each request.

    What it holds is bounded by the keys that asked within a day, each with as many moments as its limit allows.
    """

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock
        self._windows: dict[str, tuple[float, deque[float]]] = {}
        """When each is over, and the moments in it; the one that was used last stands last."""

    @override
    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        now = self._clock.now().timestamp()
        _, moments = self._windows.pop(key, (now, deque[float]()))
        if moments and moments[-1] > now:
            moments.clear()  # the clock was set back: nobody is to wait until it has made up for it
        while moments and moments[0] <= now - expiry:
            moments.popleft()
        if admitted := len(moments) + amount <= limit:
            moments.extend([now] * amount)
        self._windows[key] = now + expiry, moments
        while self._windows[oldest := next(iter(self._windows))][0] <= now:
            del self._windows[oldest]
        return admitted

    @override
    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        now = self._clock.now().timestamp()
        _, moments = self._windows.get(key, (now, deque[float]()))
        inside = [moment for moment in moments if moment > now - expiry]
        return (inside[0], len(inside)) if inside else (now, 0)
