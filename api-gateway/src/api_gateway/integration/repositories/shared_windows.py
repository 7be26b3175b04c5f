"""How often callers have asked, counted by all replicas together in the document store."""

import asyncio
from datetime import timedelta
from typing import Final
from weakref import WeakValueDictionary

import tenacity
from limits.aio.storage import MemoryStorage
from typing_extensions import override

from api_gateway.integration.models.rate_windows import RateWindow, Used
from neuroglia.core import Clock, ConcurrencyError, Unavailable
from neuroglia.documents import DocumentStore, DocumentType, Session, le, sweep

_EXACTLY: Final = 60
"""So many requests of a window are known each by itself, and the others together with those of the same sixtieth of
it: as if all had come when the last one did. So no window ever holds too many, and none is a large document."""
_SKEW_S: Final = 30
"""So far may the clocks of two replicas be apart. What lies further ahead is from a clock that was set back."""
_TRIES: Final = 30
_SWEPT: Final = 10


class SharedWindows(MemoryStorage):
    """The library's moving windows, each a document that is changed by compare-and-set. (Of its storage in memory, of
    which there is no abstract one without counters, nothing is used.)"""

    def __init__(self, kind: DocumentType[RateWindow], store: DocumentStore, clock: Clock) -> None:
        super().__init__()
        self._kind = kind
        self._store = store
        self._clock = clock
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @override
    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Counts one request, if there is room. The rivals are other replicas: here one waits for the other.

        Raises:
            Unavailable: they let nobody through, or the store does not answer.
        """
        async with self._locks.setdefault(key, asyncio.Lock()):
            try:
                return await tenacity.AsyncRetrying(
                    retry=tenacity.retry_if_exception_type(ConcurrencyError),
                    stop=tenacity.stop_after_attempt(_TRIES),
                    wait=tenacity.wait_random_exponential(0.002, 0.1),
                    reraise=True,
                )(self._acquire, key, limit, expiry, amount)
            except ConcurrencyError:
                raise Unavailable("Too many requests come with this key at the same moment.") from None

    @override
    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        now = self._clock.now().timestamp()
        window = await Session(self._store).get(self._kind, key)
        inside = _inside(window, now, expiry)
        return (inside[0].last, sum(used.count for used in inside)) if inside else (now, 0)

    async def _acquire(self, key: str, limit: int, expiry: int, amount: int) -> bool:
        session, moment = Session(self._store), self._clock.now()
        window, now = await session.get(self._kind, key), moment.timestamp()
        inside = _inside(window, now, expiry)
        if sum(used.count for used in inside) + amount > limit:
            return False
        now = max([now, *(used.last for used in inside)])
        if len(inside) >= _EXACTLY and now - inside[-1].first < expiry / _EXACTLY:
            inside[-1].last, inside[-1].count = now, inside[-1].count + amount
        else:
            inside.append(Used(first=now, last=now, count=amount))
        until = moment + timedelta(seconds=expiry + _SKEW_S)
        session.save(self._kind, RateWindow(id=key, used=inside, expires_at=until))
        await session.commit()
        if window is None:
            await sweep(self._store, self._kind, le("expires_at", moment), most=_SWEPT)  # more than come
        return True


def _inside(window: RateWindow | None, now: float, expiry: int) -> list[Used]:
    """What counts at this moment."""
    known = [] if window is None else window.used
    return [used for used in known if now - expiry < used.last <= now + _SKEW_S]
