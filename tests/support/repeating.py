"""A store that delivers what is followed several times over."""

from collections import deque

from typing_extensions import override

from neuroglia.event_sourcing import Batch, EventStore, EventSubscription


class Repeating(EventSubscription):
    """Gives each batch several times."""

    def __init__(self, subscription: EventSubscription, times: int) -> None:
        self._subscription = subscription
        self._times = times
        self._next: deque[Batch] = deque()

    @override
    async def __anext__(self) -> Batch:
        if not self._next:
            self._next.extend([await anext(self._subscription)] * self._times)
        return self._next.popleft()

    @override
    async def stop(self) -> None:
        self._next.clear()
        await self._subscription.stop()


def repeat(store: EventStore, times: int) -> None:
    """From now on, whoever follows this store gets each batch so many times."""
    subscribe = store.subscribe
    store.subscribe = lambda **where: Repeating(subscribe(**where), times)  # type: ignore[method-assign]
