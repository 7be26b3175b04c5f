"""Real stores, a real container, and runners on them."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import TypeVar

from typing_extensions import override

from neuroglia.core import Clock, RequestContext, SystemClock, SystemIds, current_context
from neuroglia.dependency_injection import ServiceCollection, ServiceProvider
from neuroglia.documents import Documents, DocumentStore, DocumentType, Generations, Lease, Session, WorkItem, WorkState
from neuroglia.documents.leases import LeaseRow
from neuroglia.domain import DomainEvent
from neuroglia.event_sourcing import (
    Appended,
    EventCodec,
    EventMetadata,
    EventSourcedRepository,
    EventStore,
    NewEvent,
    Projection,
    Reaction,
)
from neuroglia.event_sourcing.handlers import Subscriber, SubscriberType
from neuroglia.event_sourcing.once import OneCommand
from neuroglia.event_sourcing.snapshots import Snapshot, Snapshots
from neuroglia.event_sourcing.subscriptions import (
    Checkpoint,
    Fence,
    Generation,
    Means,
    ProjectionRunner,
    ReactionRunner,
    SubscriptionRunner,
    SubscriptionState,
    SubscriptionStatus,
)
from neuroglia.hosting.backing_services import connect_document_store, connect_event_store
from neuroglia.testing import FixedClock, InMemoryDocumentStore, InMemoryEventStore
from tests.framework.event_sourcing.counting import COUNTER_CODEC, Counter, CounterProjection, CounterView
from tests.framework.event_sourcing.events import LIMIT_S, NOON
from tests.support.engines import IN_MEMORY, Backing

R = TypeVar("R", bound=SubscriptionRunner)
VIEWS = DocumentType(CounterView)
CHECKPOINTS = DocumentType(Checkpoint)
SNAPSHOTS = DocumentType(Snapshot)
OWN = [DocumentType(kind) for kind in (Checkpoint, Fence, Generation, Snapshot, LeaseRow, WorkItem)]


class WatchedStatus(SubscriptionStatus):
    """Wakes who waits for a change."""

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "changed", asyncio.Event())
        super().__init__(name)

    @override
    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__(name, value)
        self.changed.set()


class World:
    """Counters, what is shown of them, and who keeps that up to date."""

    def __init__(self, events: EventStore, documents: DocumentStore) -> None:
        self.events = events
        self.documents = documents
        self.codec = COUNTER_CODEC
        self.clock = FixedClock(NOON)

    @staticmethod
    @asynccontextmanager
    async def open(events: EventStore | None = None, documents: DocumentStore | None = None) -> "AsyncGenerator[World]":
        """On these stores, or on new ones in memory."""
        events, documents = events or InMemoryEventStore(), documents or InMemoryDocumentStore()
        await events.open()
        await documents.open()
        await documents.prepare([VIEWS, *OWN])
        try:
            yield World(events, documents)
        finally:
            await events.aclose()
            await documents.aclose()

    @staticmethod
    def on(backing: Backing) -> "AbstractAsyncContextManager[World]":
        """On the stores of these URLs."""
        if backing == IN_MEMORY:
            return World.open()
        events = connect_event_store(backing.event_store_url)
        return World.open(events, connect_document_store(backing.document_store_url))

    def repository(
        self,
        context: RequestContext | None = None,
        clock: Clock | None = None,
        codec: EventCodec | None = None,
        kind: type[Counter] = Counter,
        snapshots: Snapshots | None = None,
        command: OneCommand | None = None,
    ) -> EventSourcedRepository[Counter]:
        """The counters, for one message."""
        context = context or RequestContext.new()
        return EventSourcedRepository(
            kind, self.events, codec or self.codec, clock or self.clock,
            command or OneCommand(context, SystemIds()), snapshots or Snapshots(self.documents),
        )  # fmt: skip

    async def happened(self, id: str, *events: DomainEvent, expected: int | None = None) -> Appended:
        """Appends events to a counter, from where it stands."""
        if expected is None:
            expected = len([event async for event in self.events.read(f"counter-{id}")]) - 1
        new = [self._new(self.codec.name(event), self.codec.encode(event)) for event in events]
        return await self.events.append(f"counter-{id}", new, expected)

    async def happened_raw(self, id: str, type: str, data: bytes, *, expected: int) -> Appended:
        """Appends an event that this version might not know."""
        return await self.events.append(f"counter-{id}", [self._new(type, data)], expected)

    def runner(
        self,
        projection: type[Projection] = CounterProjection,
        *needs: object,
        events: EventStore | None = None,
        documents: DocumentStore | None = None,
        codec: EventCodec | None = None,
        lease_s: float = 0.4,
        lease_name: str | None = None,
    ) -> ProjectionRunner:
        """A runner, as another process would have it. `needs`: what the projection takes beside documents.

        Runners with another `lease_name` do not know of each other, as if one were paused past its lease.
        """
        means = self._means(projection, needs, events, documents, codec)
        lease = self._lease(lease_name or projection.name, lease_s)
        return _watched(ProjectionRunner(SubscriberType.read(projection), ["counter-"], means, lease))

    def reaction(
        self,
        reaction: type[Reaction],
        *needs: object,
        documents: DocumentStore | None = None,
        lease_s: float = 0.4,
        lease_name: str | None = None,
    ) -> ReactionRunner:
        """The runner of a reaction, as another process would have it."""
        means = self._means(reaction, needs, None, documents, None)
        lease = self._lease(lease_name or reaction.name, lease_s)
        return _watched(ReactionRunner(SubscriberType.read(reaction), ["counter-"], means, lease))

    def _means(
        self,
        subscriber: type[Subscriber],
        needs: Sequence[object],
        events: EventStore | None,
        documents: DocumentStore | None,
        codec: EventCodec | None,
    ) -> Means:
        services = ServiceCollection()
        services.add_instance(EventStore, events or self.events)
        services.add_instance(EventCodec, codec or self.codec)
        services.add_instance(Clock, SystemClock())
        services.add_instance(DocumentStore, documents or self.documents)
        services.add_singleton(Generations)
        services.add_singleton(Means)
        services.add_scoped(RequestContext, current_context)
        services.add_scoped(Session)
        services.add_open(Documents, Documents)
        services.add_instance(DocumentType[CounterView], VIEWS)
        services.add_scoped(subscriber)
        for service in needs:
            services.add_instance(type(service), service)
        return ServiceProvider(services).get_now(Means)

    def _lease(self, name: str, seconds: float) -> Lease:
        return Lease(self.documents, SystemClock(), name=name, owner=SystemIds().new(), seconds=seconds)

    async def view(self, id: str) -> CounterView | None:
        """What is shown of a counter."""
        return await Session(self.documents).get(VIEWS, id)

    async def views(self) -> Sequence[CounterView]:
        """What is shown of all."""
        return (await Documents(VIEWS, Session(self.documents)).find(limit=200)).items

    async def checkpoint(self, name: str = "CounterProjection@1") -> int | None:
        """How far a projection has come, as it is stored."""
        found = await Session(self.documents).get(CHECKPOINTS, name)
        return None if found is None else found.position

    @staticmethod
    def _new(type: str, data: bytes) -> NewEvent:
        metadata = EventMetadata(recorded_at=datetime.now(UTC), correlation_id="test", causation_id=None, actor="test")
        return NewEvent(id=SystemIds().new(), type=type, data=data, metadata=metadata)


def _watched(runner: R) -> R:
    runner.status = runner._patience.status = WatchedStatus(runner.status.name)
    return runner


@asynccontextmanager
async def run(*runners: SubscriptionRunner) -> AsyncGenerator[None]:
    """Runs them beside the test, and stops them in good order."""
    tasks = [asyncio.create_task(runner.run()) for runner in runners]
    try:
        yield
    finally:
        async with asyncio.timeout(LIMIT_S):
            for runner in runners:
                await runner.stop()
            await asyncio.gather(*tasks)


async def state(runner: SubscriptionRunner, wanted: SubscriptionState) -> None:
    """Returns when a runner is in a state."""
    status = runner.status
    assert isinstance(status, WatchedStatus)
    async with asyncio.timeout(LIMIT_S):
        while status.state is not wanted:
            status.changed.clear()
            await status.changed.wait()


async def passed(runner: SubscriptionRunner, position: int) -> None:
    """Returns when a runner has passed a position."""
    await runner.wait_for(position, LIMIT_S)
    assert runner.status.position >= position, runner.status


async def parked_items(runner: SubscriptionRunner) -> Sequence[WorkItem]:
    """What is parked, in the order of the log. What has no error stands behind one that has."""
    return await runner.parking.items.page(WorkState.PARKED)


async def parked_in(runner: SubscriptionRunner, streams: int) -> None:
    """Returns when events are parked in so many streams."""
    status = runner.status
    assert isinstance(status, WatchedStatus)
    async with asyncio.timeout(LIMIT_S):
        while status.parked != streams:
            status.changed.clear()
            await status.changed.wait()


async def nothing_parked(runner: SubscriptionRunner) -> None:
    """Returns when nothing waits any more."""
    await parked_in(runner, 0)
    assert await parked_items(runner) == []
