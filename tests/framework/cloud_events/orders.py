"""A small service: orders that are paid when another service says so, and told to the outside."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import BaseModel, JsonValue

from neuroglia.cloud_events import CloudEventHandler, IntegrationEvent, cloud_event, publishes
from neuroglia.core import RequestContext, Unavailable, current_context
from neuroglia.documents import Documents, document
from neuroglia.domain import AggregateRoot, DomainEvent, Envelope, Repository, StateConflict, event, when
from neuroglia.mediation import Command, CommandHandler, Mediator


@event("orders.paid.v1")
class Paid(DomainEvent):
    amount: int
    by: str


@event("orders.noted.v1")
class Noted(DomainEvent):
    note: str


class TooMuch(StateConflict):
    code = "too-much"


class Order(AggregateRoot, stream="order"):
    total: int = 0

    def pay(self, amount: int, by: str) -> None:
        if amount > 1000:
            raise TooMuch("Nobody pays so much.")
        self.apply(Paid(amount=amount, by=by))

    @when
    def _paid(self, event: Paid) -> None:
        self.total += event.amount

    @when
    def _noted(self, event: Noted) -> None:
        pass


@document("receipts")
class Receipt(BaseModel):
    id: str
    amount: int


@cloud_event("io.shop.payment-received.v1")
class PaymentReceived(IntegrationEvent):
    order_id: str
    amount: int


@cloud_event("io.shop.left.v1")
class ShopLeft(IntegrationEvent):
    when: int


@dataclass(frozen=True, slots=True)
class Pay(Command[None]):
    order_id: str
    amount: int


class PayHandler(CommandHandler[Pay, None]):
    def __init__(self, orders: Repository[Order]) -> None:
        self.orders = orders

    async def handle(self, command: Pay) -> None:
        order = await self.orders.get(command.order_id)
        order.pay(command.amount, "somebody")
        await self.orders.save(order)


class Script:
    """What shall happen in the handler, and what has."""

    def __init__(self) -> None:
        self.contexts: list[RequestContext] = []
        self.failures: list[Exception] = []
        self.entered = asyncio.Event()
        self.release = asyncio.Event()
        self.release.set()
        self.inside = self.most = 0

    async def pass_through(self) -> None:
        self.contexts.append(current_context())
        self.inside += 1
        self.most = max(self.most, self.inside)
        self.entered.set()
        try:
            await self.release.wait()
        finally:
            self.inside -= 1
        if self.failures:
            raise self.failures.pop(0)


class PaymentReceivedHandler(CloudEventHandler[PaymentReceived]):
    def __init__(self, mediator: Mediator, receipts: Documents[Receipt], script: Script) -> None:
        self.mediator = mediator
        self.receipts = receipts
        self.script = script

    async def handle(self, event: PaymentReceived) -> None:
        receipt = await self.receipts.lookup(event.order_id) or Receipt(id=event.order_id, amount=0)
        receipt.amount += event.amount
        await self.receipts.save(receipt)
        await self.script.pass_through()
        await self.mediator.execute(Pay(event.order_id, event.amount))


@publishes("io.orders.paid.v1")
def publish_paid(event: Paid, envelope: Envelope) -> Mapping[str, JsonValue]:
    return {"order_id": envelope.aggregate_id, "amount": event.amount}


DOWN = Unavailable("the outside is down")
