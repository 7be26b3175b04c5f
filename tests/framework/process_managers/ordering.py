"""A small service with a process: an order is charged and delivered, or expires after an hour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from pydantic import BaseModel

from neuroglia.core import current_context
from neuroglia.documents import Documents, document
from neuroglia.domain import AggregateRoot, DomainEvent, Envelope, Repository, StateConflict, event, when
from neuroglia.event_sourcing import Projection, Reaction, on
from neuroglia.mediation import Command, CommandHandler, Mediator, Query, QueryHandler
from neuroglia.process_managers import ProcessManager, Step, Steps

HOUR = timedelta(hours=1)


@event("orders.placed.v1")
class Placed(DomainEvent):
    pass


@event("orders.charged.v1")
class Charged(DomainEvent):
    pass


@event("orders.ended.v1")
class Ended(DomainEvent):
    how: str


class Order(AggregateRoot, stream="order"):
    """Its name says what happens: `unlucky` cannot be charged, `cursed` makes handlers stumble."""

    charged: bool = False
    how: str | None = None

    def end(self, how: str) -> None:
        if self.how is not None:
            raise StateConflict(f"it is {self.how}")
        self.apply(Ended(how=how))

    @when
    def _placed(self, event: Placed) -> None: ...

    @when
    def _charged(self, event: Charged) -> None:
        self.charged = True

    @when
    def _ended(self, event: Ended) -> None:
        self.how = event.how


@document("orders", indexes=["how", ("how", "since")])
class OrderView(BaseModel):
    id: str
    how: str = "open"
    since: datetime


class OrderProjection(Projection):
    def __init__(self, views: Documents[OrderView]) -> None:
        self.views = views

    @on
    async def placed(self, event: Placed, envelope: Envelope) -> None:
        await self.views.save(OrderView(id=envelope.aggregate_id, since=envelope.recorded_at))

    @on
    async def ended(self, event: Ended, envelope: Envelope) -> None:
        view = await self.views.get(envelope.aggregate_id)
        view.how, view.since = event.how, envelope.recorded_at
        await self.views.save(view)


class World:
    """What the handlers meet, and what they were asked."""

    stumbles: ClassVar[bool] = False
    sent: ClassVar[list[tuple[str, str | None]]] = []


@dataclass(frozen=True, slots=True)
class Charge(Command[None]):
    order_id: str


class ChargeHandler(CommandHandler[Charge, None]):
    def __init__(self, orders: Repository[Order]) -> None:
        self.orders = orders

    async def handle(self, command: Charge) -> None:
        World.sent.append(("charge", current_context().command_id))
        if World.stumbles:
            raise LookupError
        order = await self.orders.get(command.order_id)
        if "unlucky" in command.order_id:
            raise StateConflict("no money")
        order.apply(Charged())
        await self.orders.save(order)


@dataclass(frozen=True, slots=True)
class End(Command[None]):
    order_id: str
    how: str


class EndHandler(CommandHandler[End, None]):
    def __init__(self, orders: Repository[Order]) -> None:
        self.orders = orders

    async def handle(self, command: End) -> None:
        World.sent.append((command.how, current_context().command_id))
        if World.stumbles:
            raise LookupError
        order = await self.orders.get(command.order_id)
        order.end(command.how)
        await self.orders.save(order)


@dataclass(frozen=True, slots=True)
class OpenOrders(Query[Sequence[str]]):
    before: datetime


class OpenOrdersHandler(QueryHandler[OpenOrders, Sequence[str]]):
    def __init__(self, views: Documents[OrderView]) -> None:
        self.views = views

    async def handle(self, query: OpenOrders) -> Sequence[str]:
        page = await self.views.find(order="how", limit=200)
        return [view.id for view in page.items if view.how == "open" and view.since < query.before]


class Encore(Reaction):
    """Sends two commands that change one stream."""

    def __init__(self, mediator: Mediator) -> None:
        self.mediator = mediator

    @on
    async def ended(self, event: Ended, envelope: Envelope) -> None:
        if "encore" in envelope.aggregate_id:
            await self.mediator.execute(Charge(envelope.aggregate_id))
            await self.mediator.execute(Charge(envelope.aggregate_id))


class Ordering(ProcessManager, of=Order, sweep=6 * HOUR):
    @on
    def placed(self, event: Placed, envelope: Envelope) -> Steps:
        id = envelope.aggregate_id
        return [
            Step(id, "expire", End(id, "expired"), after=HOUR),
            Step(
                id, "charge", Charge(id), refused=lambda refusal: Step(id, "fail", End(id, f"failed: {refusal.code}"))
            ),
        ]

    @on
    def charged(self, event: Charged, envelope: Envelope) -> Steps:
        id = envelope.aggregate_id
        return Step(id, "deliver", End(id, "delivered")) if "slow" not in id else None

    def unfinished(self, before: datetime) -> Query[Sequence[str]]:
        return OpenOrders(before)
