"""What a type checker has to know of the framework, and what it has to refuse. Read by mypy and pyright, never run.

Each line with an ignore is wrong on purpose: where a checker no longer sees the mistake, the ignore itself is one.
"""
# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, Protocol, TypeVar, assert_type

from pydantic import BaseModel
from typing_extensions import override

from neuroglia.core import Page, RequestContext
from neuroglia.dependency_injection import Scope, ServiceCollection, ServiceProvider
from neuroglia.documents import Documents, document
from neuroglia.domain import AggregateRoot, DomainEvent, Envelope, Repository, RuleViolation, event, when
from neuroglia.event_sourcing import Projection, on, reads
from neuroglia.mapping import Mapper, mapping
from neuroglia.mediation import Command, CommandHandler, Mediator, Query, QueryHandler
from neuroglia.mvc import ControllerBase, get, post
from neuroglia.scheduling import BackgroundTask, BackgroundTasks, background_task
from neuroglia.testing import given

T = TypeVar("T")


# ---- domain


@event("shop.priced.v1")
class Priced(DomainEvent):
    amount: int
    note: str = ""


class TooDear(RuleViolation):
    limit: int = 3


class Shop(AggregateRoot, stream="shop"):
    price: int

    def set_price(self, amount: int) -> Priced:
        return assert_type(self.apply(Priced(amount=amount)), Priced)

    @when
    def priced(self, event: Priced) -> None:
        self.price = event.amount

    @when  # type: ignore[type-var]  # an event, not just anything
    def wrong(self, event: int) -> None: ...


def events() -> None:
    priced = Priced(amount=1)
    assert_type(priced.amount, int)
    Priced(1)  # type: ignore[call-arg]  # keyword-only
    Priced(amount="1")  # type: ignore[arg-type]
    Priced()  # type: ignore[call-arg]
    priced.amount = 2  # type: ignore[misc]  # frozen


def aggregates(shop: Shop) -> None:
    shop.priced(Priced(amount=1))
    shop.priced(1)  # type: ignore[arg-type]  # @when keeps the method's type
    assert_type(shop.pending, Sequence[DomainEvent])
    refusal = given(Shop, Priced(amount=1)).when(lambda one: one.set_price(2)).then_refused(TooDear)
    assert_type(refusal.limit, int)


# ---- read models and projections


@document("shops", indexes=["price"])
class ShopDto(BaseModel):
    id: str
    price: int


class ShopProjection(Projection):
    def __init__(self, shops: Documents[ShopDto]) -> None:
        self.shops = shops

    @on
    async def with_envelope(self, event: Priced, envelope: Envelope) -> None:
        assert_type(await self.shops.get(envelope.aggregate_id), ShopDto)
        assert_type(await self.shops.lookup("1"), ShopDto | None)
        assert_type(await self.shops.find(order="price"), Page[ShopDto])

    @on
    async def without(self, event: Priced) -> None:
        await self.without(event)
        await self.without(1)  # type: ignore[arg-type]  # @on keeps the method's type
        await self.shops.save(Shop("1"))  # type: ignore[arg-type]

    @on  # type: ignore[type-var]
    async def wrong(self, event: int) -> None: ...


# ---- mediation


@dataclass(frozen=True, slots=True)
class SetPrice(Command[ShopDto]):
    id: str
    amount: int


@dataclass(frozen=True, slots=True)
class FindShops(Query[Page[ShopDto]]):
    limit: int = 3


class SetPriceHandler(CommandHandler[SetPrice, ShopDto]):
    def __init__(self, shops: Repository[Shop], mapper: Mapper) -> None:
        self.shops, self.mapper = shops, mapper

    @override
    async def handle(self, request: SetPrice, /) -> ShopDto:
        shop = assert_type(await self.shops.get(request.id), Shop)
        shop.set_price(request.amount)
        assert_type(await self.shops.save(shop), Sequence[Envelope])
        return assert_type(self.mapper.map(shop, ShopDto), ShopDto)


@reads(ShopProjection)
class FindShopsHandler(QueryHandler[FindShops, Page[ShopDto]]):
    def __init__(self, shops: Documents[ShopDto]) -> None:
        self.shops = shops

    @override
    async def handle(self, request: FindShops, /) -> Page[ShopDto]:
        return await self.shops.find(limit=request.limit)


class WrongHandler(CommandHandler[SetPrice, ShopDto]):
    @override
    async def handle(self, request: SetPrice, /) -> int:  # type: ignore[override]
        return 1


async def mediation(mediator: Mediator, shops: Documents[ShopDto]) -> None:
    assert_type(await mediator.execute(SetPrice("1", 2)), ShopDto)
    assert_type(await mediator.execute(FindShops()), Page[ShopDto])
    assert_type(FindShopsHandler(shops), FindShopsHandler)  # @reads keeps the class
    await mediator.execute("a text")  # type: ignore[arg-type]
    number: int = await mediator.execute(FindShops())  # type: ignore[arg-type]
    print(number)  # noqa: T201


# ---- mapping


@mapping
def show(shop: Shop, *, name: str) -> ShopDto:
    return ShopDto(id=shop.id + name, price=shop.price)


def mapped(shop: Shop) -> None:
    assert_type(show(shop, name=""), ShopDto)
    show(shop)  # type: ignore[call-arg]


# ---- controllers


class ShopsController(ControllerBase):
    @post("/{id}", scopes=["shop:write"], status_code=201, location="/{id}")
    async def set_price(self, id: str, amount: int) -> ShopDto:
        return assert_type(await self.mediator.execute(SetPrice(id, amount)), ShopDto)

    @get(scopes=["shop:read"])
    async def find(self, limit: int = 3) -> Page[ShopDto]:
        return await self.mediator.execute(FindShops(limit))


async def controllers(controller: ShopsController) -> None:
    assert_type(await controller.set_price("1", 2), ShopDto)
    assert_type(await controller.find(), Page[ShopDto])
    await controller.set_price("1")  # type: ignore[call-arg]  # decorators keep the method's type
    await controller.find(limit="3")  # type: ignore[arg-type]


# ---- dependency injection


class Clock(ABC):
    @abstractmethod
    def now(self) -> int: ...


class StoppedClock(Clock):
    @override
    def now(self) -> int:
        return 0


class Sends(Protocol):
    def send(self) -> None: ...


class Pigeon:
    def send(self) -> None: ...


class Box(Generic[T]):
    def __init__(self, kind: type[T]) -> None:
        self.kind = kind


async def later() -> Clock:
    return StoppedClock()


async def connected() -> AsyncIterator[Clock]:
    yield StoppedClock()


def injection(services: ServiceCollection, repository: Repository[Shop]) -> None:
    services.add_singleton(Clock, StoppedClock)  # an abstract class is a service
    services.add_singleton(Sends, Pigeon)  # so is a protocol
    services.add_scoped(Clock, lambda: StoppedClock())
    services.add_transient(Clock, later)
    services.add_singleton(Clock, connected)
    services.add_scoped(StoppedClock)
    services.add_instance(Clock, StoppedClock())
    services.add_instance(Repository[Shop], repository)
    services.add_scoped(Repository[Shop], lambda: repository)
    services.add_open(Box, Box)


async def resolution(provider: ServiceProvider, scope: Scope) -> None:
    assert_type(await scope.get(Repository[Shop]), Repository[Shop])
    assert_type(await scope.get(Clock), Clock)
    assert_type(await scope.get(Sends), Sends)
    assert_type(await scope.get(list[Clock]), list[Clock])
    assert_type(await provider.get(RequestContext), RequestContext)
    assert_type(provider.get_now(Mediator), Mediator)
    async with provider.create_scope() as inner:
        assert_type(inner, Scope)


# ---- background tasks


@dataclass(frozen=True, slots=True)
class Parcel:
    to: str


@background_task("send-parcel", attempts=5)
class SendParcel(BackgroundTask[Parcel]):
    @override
    async def run(self, arguments: Parcel) -> None: ...


@background_task("sweep", every=timedelta(hours=1))
class Sweep(BackgroundTask[None]):
    @override
    async def run(self, arguments: None) -> None: ...


@background_task("wrong", attempts="5")  # type: ignore[arg-type]
class Misdirected(BackgroundTask[Parcel]):
    @override
    async def run(self, arguments: int) -> None: ...  # type: ignore[override]


async def enqueuing(tasks: BackgroundTasks) -> None:
    assert_type(SendParcel, type[SendParcel])  # the decorator keeps the class's type
    assert_type(await tasks.enqueue(SendParcel, Parcel("a"), after=timedelta(hours=1), key="k"), str)
    await tasks.enqueue(Sweep, None)
    await tasks.enqueue(SendParcel, "a")  # type: ignore[misc]
    await tasks.enqueue(SendParcel, None)  # type: ignore[misc]
    await tasks.enqueue(Parcel, None)  # type: ignore[arg-type]
    background_task("no-task")(Parcel)  # type: ignore[type-var]
