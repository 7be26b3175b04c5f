"""Given a projection, when events happen, then these documents are shown."""

import sys
from collections.abc import Sequence
from typing import Any, Self, TypeVar

from neuroglia.core import Clock
from neuroglia.dependency_injection import ServiceCollection, ServiceProvider
from neuroglia.documents import Documents, DocumentStore, DocumentType, Find, Session
from neuroglia.domain import AggregateRoot, DomainEvent, Envelope
from neuroglia.event_sourcing import Projection, stream_name
from neuroglia.event_sourcing.handlers import SubscriberType
from neuroglia.testing.doubles import FixedClock, SequentialIds
from neuroglia.testing.memory_documents import InMemoryDocumentStore

D = TypeVar("D")


class GivenProjection:
    """A projection and the log that it sees. Each look at its documents builds them anew, from the first event on."""

    def __init__(self, projection: type[Projection], needs: Sequence[object], clock: Clock) -> None:
        self._type = SubscriberType.read(projection)
        self._needs = needs
        self._clock = clock
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

    async def then(self, document: object, *others: object) -> None:
        """Of the models of these documents, these are shown and no others, in whatever order."""
        documents = [document, *others]
        for model in {type(document): None for document in documents}:
            expected = [document for document in documents if type(document) is model]
            expected.sort(key=DocumentType(model).key_of)
            shown = await self.shown(model)
            assert shown == expected, f"shown are {shown}, expected {expected}"

    async def shown(self, model: type[D]) -> Sequence[D]:
        """All documents of a model, in the order of their keys."""
        store, kind = InMemoryDocumentStore(), DocumentType(model)
        await self._play(store)
        return await Session(store).find(kind, Find((), (), descending=False, limit=sys.maxsize))

    async def _play(self, store: DocumentStore) -> None:
        models: list[DocumentType[Any]] = [DocumentType(model) for model in self._type.models]
        await store.open()
        await store.prepare(models)
        provider = self._provider(store, models)
        for envelope in self._log:
            if handler := self._type.handlers.get(type(envelope.event)):
                async with provider.create_scope() as scope:  # each on what was stored before, as after a restart
                    await handler(await scope.get(self._type.subscriber), envelope.event, envelope)
                    await (await scope.get(Session)).commit()

    def _provider(self, store: DocumentStore, models: Sequence[DocumentType[Any]]) -> ServiceProvider:
        services = ServiceCollection()
        services.add_instance(DocumentStore, store)
        services.add_scoped(Session)
        services.add_open(Documents, Documents)
        for kind in models:
            services.add_instance(DocumentType[kind.model], kind)  # type: ignore[name-defined]
        for need in self._needs:
            for base in type(need).__mro__[:-1]:
                services.add_instance(base, need)
        services.add_scoped(self._type.subscriber)
        return ServiceProvider(services)


def given_projection(projection: type[Projection], *needs: object, clock: Clock | None = None) -> GivenProjection:
    """A projection that has seen nothing yet.

    Args:
        projection: its `Documents[...]` stand on a store in memory.
        needs: what else its constructor takes, each found by its class or a base of it.
        clock: when events happen; without one, all of them at the same moment.
    """
    return GivenProjection(projection, needs, clock or FixedClock())
