"""A whole service in the test's process: given events, when a request, then a response and new events."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
from fastapi import FastAPI

from neuroglia.core import Clock, SystemIds
from neuroglia.dependency_injection import ServiceProvider
from neuroglia.documents import DocumentStore
from neuroglia.domain import AggregateRoot, DomainEvent
from neuroglia.event_sourcing import (
    BEGINNING,
    EventCodec,
    EventMetadata,
    EventStore,
    NewEvent,
    Subscriptions,
    stream_name,
)
from neuroglia.hosting import WebApplicationBuilder
from neuroglia.testing.document_store import InMemoryDocumentStore
from neuroglia.testing.event_store import InMemoryEventStore
from neuroglia.testing.tokens import Tokens, scopes_of

_SETTLE_S = 10.0


class Answer:
    """A response, and the events that the request recorded."""

    def __init__(self, response: httpx.Response, events: Sequence[DomainEvent]) -> None:
        self.response = response
        self.events = list(events)

    @property
    def body(self) -> Any:
        """The parsed JSON."""
        return self.response.json()

    def then(
        self, status: int, body: Mapping[str, Any] | None = None, *, events: Sequence[DomainEvent] | None = None
    ) -> "Answer":
        """The status is this one, the body has at least these fields, and exactly these events were recorded."""
        assert self.response.status_code == status, f"{self.response.status_code}: {self.response.text}"
        for name, value in (body or {}).items():
            assert self.body.get(name) == value, f"{name} is {self.body.get(name)!r}, expected {value!r}"
        assert events is None or self.events == list(events), f"recorded {self.events}, expected {list(events)}"
        return self

    def then_refused(self, status: int, code: str) -> "Answer":
        """It is a problem with this code (the end of its type), and nothing was recorded."""
        self.then(status, events=[])
        assert self.response.headers["content-type"] == "application/problem+json"
        assert self.body["type"].rpartition(":")[2] == code, self.body
        return self


class RunningService:
    """A started service and a client for it, which may do everything; `tokens` makes others."""

    def __init__(self, client: httpx.AsyncClient, services: ServiceProvider, tokens: Tokens) -> None:
        self.client = client
        self.services = services
        self.tokens = tokens

    async def given(self, kind: type[AggregateRoot], id: str, *events: DomainEvent) -> None:
        """These events have happened to the aggregate, behind those that had before; the read models show them."""
        await self.happened(kind, id, *events)
        await self.settle()

    async def happened(self, kind: type[AggregateRoot], id: str, *events: DomainEvent) -> None:
        """The same, without waiting for those that follow the log."""
        store, codec = await self.services.get(EventStore), await self.services.get(EventCodec)
        ids, clock = SystemIds(), await self.services.get(Clock)
        stream = stream_name(kind, id)
        metadata = EventMetadata(recorded_at=clock.now(), correlation_id="given", causation_id=None, actor="test")
        stored = [event async for event in store.read(stream)]
        new = [
            NewEvent(id=ids.new(), type=codec.name(event), data=codec.encode(event), metadata=metadata)
            for event in events
        ]
        await store.append(stream, new, len(stored) - 1)

    async def when(self, method: str, path: str, **request: Any) -> Answer:
        """Sends a request; `request` is what httpx takes. Returns when the read models show its events."""
        store, codec = await self.services.get(EventStore), await self.services.get(EventCodec)
        head = await store.head()
        response = await self.client.request(method, path, **request)
        await self.settle()
        batch = await store.read_all(after=head)
        return Answer(response, [codec.decode(stored) for stored in batch.events])

    async def settle(self) -> None:
        """Returns when everybody has passed the last event, those included that somebody appended in answer."""
        store, subscriptions = await self.services.get(EventStore), await self.services.get(Subscriptions)
        settled = BEGINNING
        while (head := await store.head()) > settled:  # what reacts to events may append some
            await subscriptions.wait_for(head, _SETTLE_S)
            settled = head


def in_memory(builder: WebApplicationBuilder) -> WebApplicationBuilder:
    """The same builder, whose application will keep everything in memory, whatever its settings say.

    Call it when all parts are added: `running(in_memory(create_builder(settings)).build())`.
    """
    stores = {EventStore: InMemoryEventStore, DocumentStore: InMemoryDocumentStore}
    for service in {registration.service for registration in builder.services.registrations} & stores.keys():
        builder.services.add_singleton(service, stores[service])
    return builder


@asynccontextmanager
async def running(app: FastAPI, base_url: str = "http://test") -> AsyncGenerator[RunningService]:
    """Starts an application in this process, without a socket, and stops it at the end."""
    transport, services = httpx.ASGITransport(app, raise_app_exceptions=False), app.state.services
    async with app.router.lifespan_context(app):
        tokens = await Tokens.believed_by(services)
        async with httpx.AsyncClient(
            transport=transport, base_url=base_url, headers=tokens.bearer(scopes_of(app))
        ) as client:
            yield RunningService(client, services, tokens)
