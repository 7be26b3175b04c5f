"""A subscriber and the log that it sees: what the kits for projections and reactions share."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self

from neuroglia.core import Clock
from neuroglia.dependency_injection import ServiceCollection, ServiceProvider
from neuroglia.documents import Documents, DocumentStore, DocumentType, Session
from neuroglia.domain import AggregateRoot, DomainEvent, Envelope
from neuroglia.event_sourcing import stream_name
from neuroglia.event_sourcing.handlers import Subscriber, SubscriberType
from neuroglia.testing.document_store import InMemoryDocumentStore
from neuroglia.testing.doubles import FixedClock, SequentialIds


class GivenSubscriber:
    """Each question plays the log anew, from the first event on, on a document store in memory."""

    def __init__(self, subscriber: type[Subscriber], needs: Sequence[object], clock: Clock | None) -> None:
        self._type = SubscriberType.read(subscriber)
        self._needs = needs
        self._clock = clock or FixedClock()
        self._ids = SequentialIds("event")
        self._log: list[Envelope] = []

    def when(self, kind: type[AggregateRoot], id: str, *events: DomainEvent) -> Self:
        """These events happen to the aggregate, now, behind all that happened before. Their ids are `event-1`, …"""
        stream = stream_name(kind, id)
        for event in events:
            revision = sum(before.stream == stream for before in self._log)
            self._log.append(
                Envelope(
                    event=event, id=self._ids.new(), stream=stream, revision=revision, position=len(self._log) + 1,
                    recorded_at=self._clock.now(), correlation_id="given", causation_id=None, actor="test",
                )
            )  # fmt: skip
        return self

    async def _handle(self, services: ServiceProvider, envelope: Envelope) -> None:
        """One event, on what was stored before it, as after a restart."""
        if handler := self._type.handlers.get(type(envelope.event)):
            async with services.create_scope() as scope:
                await handler(await scope.get(self._type.subscriber), envelope.event, envelope)
                await (await scope.get(Session)).commit()

    @asynccontextmanager
    async def _stage(self) -> AsyncGenerator[ServiceProvider]:
        """An empty store, and all that the subscriber's constructor takes."""
        models: list[DocumentType[Any]] = [DocumentType(model) for model in self._type.models]
        store, services = InMemoryDocumentStore(), ServiceCollection()
        await store.open()
        await store.prepare(models)
        services.add_instance(DocumentStore, store)
        services.add_scoped(Session)
        services.add_open(Documents, Documents)
        for kind in models:
            services.add_instance(DocumentType[kind.model], kind)  # type: ignore[name-defined]
        for need in self._needs:
            for base in type(need).__mro__[:-1]:
                services.add_instance(base, need)
        services.add_scoped(self._type.subscriber)
        yield ServiceProvider(services)
