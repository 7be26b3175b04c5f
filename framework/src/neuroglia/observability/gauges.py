"""What is measured by looking: how far subscriptions are behind, what is parked, and what waits in queues."""

import asyncio
import logging
from typing import Final

from neuroglia.documents import WORK_ITEMS, DocumentStore, WorkState
from neuroglia.documents.conditions import eq
from neuroglia.documents.store import Find
from neuroglia.event_sourcing import EventStore, Subscriptions
from neuroglia.observability.spans import NAME, Providers
from neuroglia.operations.subscriptions import look

_QUEUES: Final = ("jobs", "inbox", "outbox")
_STATES: Final = (WorkState.WAITING, WorkState.RUNNING, WorkState.PARKED)
_COUNTED: Final = 1_000
"""More items than these are not counted: a queue that long is too long."""
_log: Final = logging.getLogger("neuroglia.observability")


class Gauges:
    """Looks at the stores and subscriptions of an application, if it has any."""

    def __init__(
        self, providers: Providers, events: EventStore | None = None, documents: DocumentStore | None = None,
        subscriptions: Subscriptions | None = None,
    ) -> None:  # fmt: skip
        meter = providers.meters.get_meter(NAME)
        self._events, self._documents, self._subscriptions = events, documents, subscriptions
        self._lag = meter.create_gauge("neuroglia.subscription.lag", "{event}", "Positions behind its last event")
        self._parked = meter.create_gauge("neuroglia.subscription.parked", "{stream}", "Streams with parked events")
        self._depth = meter.create_gauge("neuroglia.queue.depth", "{item}", "Work items, counted up to 1,000")

    async def watch(self, seconds: float) -> None:
        """Looks, again and again."""
        while True:
            try:
                await self.look()
            except Exception as error:  # noqa: BLE001 - whatever it is: who only looks must not end anything
                _log.warning("the gauges cannot be read", extra={"reason": type(error).__name__})
            await asyncio.sleep(seconds)

    async def look(self) -> None:
        """Looks once.

        Raises:
            Unavailable: a store does not answer.
        """
        if self._events is not None and self._subscriptions is not None:
            head = await self._events.head()
            for runner in self._subscriptions.runners.values():
                told = await look(runner, head)
                if told.lag is not None:
                    self._lag.set(told.lag, {"messaging.destination.name": told.name})
                self._parked.set(told.parked, {"messaging.destination.name": told.name})
        if self._documents is not None:
            for queue, state in ((queue, state) for queue in _QUEUES for state in _STATES):
                where = [eq("queue", queue), eq("state", state)]
                found = await self._documents.find(WORK_ITEMS, Find(where, ["due"], descending=False, limit=_COUNTED))
                named = {"messaging.destination.name": queue, "neuroglia.state": state.value}
                self._depth.set(len(found), named)
