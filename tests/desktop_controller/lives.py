"""A controller that is stopped or killed, and started again on what it has left."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from typing_extensions import override

from desktop_controller.application.command_runner import CommandRunner
from neuroglia.documents import DocumentStore
from neuroglia.event_sourcing import EventStore
from neuroglia.testing import InMemoryDocumentStore, InMemoryEventStore, RunningService, running
from tests.desktop_controller.conftest import builder_on
from tests.desktop_controller.doubles import FakeHost


class Killed(CommandRunner):
    """Ends as a process does that is killed: it records nothing of it."""

    @override
    async def stop(self) -> None:
        tasks = [*self._tasks, *self._in_hand.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks = []


class Lives:
    """One after the other, on the same stores and the same host."""

    def __init__(self) -> None:
        self.host = FakeHost()
        self.events, self.documents = InMemoryEventStore(), InMemoryDocumentStore()

    @asynccontextmanager
    async def life(self, *, killed: bool = False, **settings: Any) -> AsyncGenerator[RunningService]:
        """From a start to a clean stop, or to a death."""
        builder = builder_on(self.host, **settings)
        builder.services.add_singleton(EventStore, lambda: self.events)
        builder.services.add_singleton(DocumentStore, lambda: self.documents)
        if killed:
            builder.services.add_singleton(CommandRunner, Killed)
        async with running(builder.build()) as controller:
            yield controller
