"""A bank that is stopped and started again on what it has left."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from typing_extensions import override

from neuroglia.documents import DocumentStore
from neuroglia.event_sourcing import EventStore, Subscriptions
from neuroglia.testing import InMemoryDocumentStore, InMemoryEventStore, RunningService, running
from tests.openbank.conftest import builder_on
from tests.support.engines import IN_MEMORY, Backing


class Idle(Subscriptions):
    """Subscriptions of which none runs."""

    @override
    async def start(self) -> None: ...

    @override
    async def stop(self) -> None: ...


class Lives:
    """One after the other, on the same stores."""

    def __init__(self, backing: Backing) -> None:
        self._backing = backing
        self._stores = InMemoryEventStore(), InMemoryDocumentStore()

    @asynccontextmanager
    async def life(self, *, idle: bool = False) -> AsyncGenerator[RunningService]:
        """From a start to a stop. Idle: nobody follows the log."""
        builder = builder_on(self._backing)
        if self._backing == IN_MEMORY:
            events, documents = self._stores
            builder.services.add_singleton(EventStore, lambda: events)
            builder.services.add_singleton(DocumentStore, lambda: documents)
        if idle:
            builder.services.add_singleton(Subscriptions, Idle)
        async with running(builder.build()) as bank:
            yield bank
