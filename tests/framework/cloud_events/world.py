"""The service of orders on an engine, and short ways to send it events."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any, ClassVar

import httpx
from cloudevents.core.v1.event import CloudEvent

from neuroglia.cloud_events.messages import receive
from neuroglia.documents import DocumentStore, DocumentType, Session, WorkItem, WorkItems, WorkState
from neuroglia.event_sourcing import EventStore, StoredEvent
from neuroglia.hosting import ServiceSettings, WebApplicationBuilder
from neuroglia.testing import RunningService, in_memory, running
from tests.framework.cloud_events.orders import Noted, Order, Receipt, Script
from tests.support.engines import IN_MEMORY, Backing
from tests.support.waiting import eventually

ORDERS = "tests.framework.cloud_events.orders"
PATH = "/api/v1/cloudevents"
STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
EVENT: Mapping[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "source": "/shop",
    "type": "io.shop.payment-received.v1",
    "data": {"order_id": "a", "amount": 5},
}
HEADERS = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/shop", "ce-type": "io.shop.payment-received.v1"}


class OrdersSettings(ServiceSettings):
    service: ClassVar[str] = "orders"


class Orders:
    """The running service."""

    def __init__(self, service: RunningService, script: Script) -> None:
        self.service = service
        self.script = script

    async def send(self, event: Any, media_type: str = STRUCTURED, **headers: str) -> httpx.Response:
        return await self.service.client.post(PATH, json=event, headers={"content-type": media_type, **headers})

    async def send_raw(self, content: bytes, headers: Mapping[str, str] | Sequence[tuple[str, str]]) -> httpx.Response:
        return await self.service.client.post(PATH, content=content, headers=headers)

    async def received(self, content: bytes, headers: Mapping[str, str]) -> list[CloudEvent]:
        """What is read from a message."""
        return [found.event for found in receive([*headers.items()], content)]

    async def rows(self, state: WorkState | None = None, queue: str = "inbox") -> list[WorkItem]:
        items = WorkItems(await self.service.services.get(DocumentStore), queue)
        return [item for one in WorkState if state in {None, one} for item in await items.page(one)]

    async def all_done(self, count: int = 1, state: WorkState = WorkState.DONE) -> list[WorkItem]:
        async def done() -> bool:
            return len(await self.rows(state)) == count

        await eventually(done)
        return await self.rows(state)

    async def payments(self, id: str = "a") -> list[StoredEvent]:
        store = await self.service.services.get(EventStore)
        return [event async for event in store.read(f"order-{id}") if event.type == "orders.paid.v1"]

    async def receipt(self, id: str = "a") -> int:
        found = await Session(await self.service.services.get(DocumentStore)).get(DocumentType(Receipt), id)
        return 0 if found is None else found.amount


def orders_builder(backing: Backing, script: Script, **settings: Any) -> WebApplicationBuilder:
    builder = WebApplicationBuilder(OrdersSettings(**{"log_level": "ERROR", **asdict(backing), **settings}))
    builder.add_mediation(ORDERS)
    builder.add_event_sourcing(ORDERS, subscriptions=ORDERS)
    builder.add_documents(ORDERS)
    builder.add_cloud_events(ORDERS)
    builder.services.add_instance(Script, script)
    return in_memory(builder) if backing == IN_MEMORY else builder


@asynccontextmanager
async def orders_on(
    backing: Backing, script: Script | None = None, *, begin: bool = True, **settings: Any
) -> AsyncGenerator[Orders]:
    """The service, with the order `a`."""
    script = script or Script()
    async with running(orders_builder(backing, script, **settings).build()) as service:
        if begin:
            await service.given(Order, "a", Noted(note="begun"))
        yield Orders(service, script)
