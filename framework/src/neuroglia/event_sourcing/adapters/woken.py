"""Following a store: what is new is read page by page, whenever somebody tells that there may be some."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from typing_extensions import override

from neuroglia.event_sourcing.store import Batch, EventStore, EventSubscription

_SAFETY_S: Final = 5.0
"""How often a subscription that nobody wakes looks by itself: for file systems that do not notify."""


class WokenSubscription(EventSubscription):
    """Reads on from where it is."""

    def __init__(self, store: EventStore, after: int, prefixes: Sequence[str], all_: "set[WokenSubscription]") -> None:
        """`all_`: those of the store, to which it belongs until it is stopped."""
        self._store, self._after, self._prefixes, self._all = store, after, prefixes, all_
        self._woken = asyncio.Event()
        self._told_caught_up = self._stopped = False
        all_.add(self)

    def wake(self) -> None:
        """Tells that there may be new events."""
        self._woken.set()

    @override
    async def stop(self) -> None:
        self._stopped = True
        self._woken.set()
        self._all.discard(self)

    @override
    async def __anext__(self) -> Batch:
        while not self._stopped:
            self._woken.clear()  # before the look, so that nothing is missed
            batch = await self._read()
            if batch.events or not self._told_caught_up:
                self._after = batch.events[-1].position if batch.events else self._after
                self._store.reached = max(self._store.reached, self._after)
                self._told_caught_up = batch.caught_up
                return batch
            await self._wait()
        raise StopAsyncIteration

    async def _read(self) -> Batch:
        return await self._store.read_all(after=self._after, prefixes=self._prefixes)

    async def _wait(self) -> None:
        """Returns when there may be something new."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_SAFETY_S):
                await self._woken.wait()
