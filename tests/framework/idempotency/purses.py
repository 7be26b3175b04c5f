"""A service with a few commands that can be made to wait, fail and die: purses, and coins that are put in."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field

from pydantic import BaseModel

from neuroglia.core import Clock, Ids, current_context
from neuroglia.documents import Documents, DocumentStore, document
from neuroglia.domain import AggregateRoot, DomainEvent, Repository, RuleViolation, StateConflict, event, when
from neuroglia.event_sourcing import EventStore
from neuroglia.hosting import ServiceSettings, WebApplicationBuilder
from neuroglia.mediation import Command, CommandHandler, Mediator
from neuroglia.mvc import ControllerBase, get, post
from neuroglia.testing import FixedClock, InMemoryDocumentStore, InMemoryEventStore, RunningService, running
from tests.support.engines import IN_MEMORY, Backing


@event("test.coins-put-in.v1")
class CoinsPutIn(DomainEvent):
    coins: int


class TooMany(RuleViolation):
    code = "too-many"


class Full(StateConflict):
    code = "full"


class Purse(AggregateRoot, stream="purse"):
    coins: int = 0

    def put_in(self, coins: int) -> None:
        if coins > 100:
            raise TooMany(f"A hand holds 100 coins, not {coins}.")
        if self.coins + coins > 1000:
            raise Full("A purse holds 1000 coins.")
        self.apply(CoinsPutIn(coins=coins))

    @when
    def _put_in(self, event: CoinsPutIn) -> None:
        self.coins += event.coins


class PurseDto(BaseModel):
    id: str
    coins: int
    version: int


async def _nothing() -> None: ...


@dataclass
class Weather:
    """What happens to handlers: `before` they save, and `after` it."""

    before: Callable[[], object] = field(default=_nothing)
    after: Callable[[], object] = field(default=_nothing)
    handled: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class PutIn(Command[PurseDto]):
    purse_id: str | None
    coins: int


class PutInHandler(CommandHandler[PutIn, PurseDto]):
    def __init__(self, purses: Repository[Purse], ids: Ids, weather: Weather) -> None:
        self.purses, self.ids, self.weather = purses, ids, weather

    async def handle(self, command: PutIn) -> PurseDto:
        self.weather.handled += 1
        self.weather.begun.set()
        purse = await self.purses.get(command.purse_id) if command.purse_id else Purse(self.ids.new())
        purse.put_in(command.coins)
        await self.weather.before()  # type: ignore[misc]
        await self.purses.save(purse)
        await self.weather.after()  # type: ignore[misc]
        return PurseDto(id=purse.id, coins=purse.coins, version=purse.version)


@dataclass(frozen=True, slots=True)
class Share(Command[None]):
    """Puts as many coins into each of these purses, twice: each time by a command."""

    purse_ids: tuple[str, ...]
    coins: int


class ShareHandler(CommandHandler[Share, None]):
    def __init__(self, mediator: Mediator) -> None:
        self.mediator = mediator

    async def handle(self, command: Share) -> None:
        for purse_id in command.purse_ids * 2:
            await self.mediator.execute(PutIn(purse_id, command.coins))


@document("boxes")
class Box(BaseModel):
    """A purse whose state is its truth: no event tells a repeat that it was there before."""

    id: str
    coins: int = 0


@dataclass(frozen=True, slots=True)
class Fill(Command[Box]):
    box_id: str
    coins: int


class FillHandler(CommandHandler[Fill, Box]):
    def __init__(self, boxes: Documents[Box]) -> None:
        self.boxes = boxes

    async def handle(self, command: Fill) -> Box:
        box = await self.boxes.lookup(command.box_id) or Box(id=command.box_id)
        box.coins += command.coins
        await self.boxes.save(box)
        return box


class Coins(BaseModel):
    coins: int


class PursesController(ControllerBase):
    @post(status_code=201, location="/{id}", etag="version", scopes=["purses"])
    async def begin(self, request: Coins) -> PurseDto:
        return await self.mediator.execute(PutIn(None, request.coins))

    @post("/{purse_id}/coins", etag="version", scopes=["purses"])
    async def put_in(self, purse_id: str, request: Coins) -> PurseDto:
        return await self.mediator.execute(PutIn(purse_id, request.coins))

    @post("/share", scopes=["purses"])
    async def share(self, request: Coins) -> None:
        await self.mediator.execute(Share(("a", "b"), request.coins))

    @post("/boxes/{box_id}", scopes=["purses"])
    async def fill(self, box_id: str, request: Coins) -> Box:
        return await self.mediator.execute(Fill(box_id, request.coins))

    @get(scopes=["purses"])
    async def key(self) -> str | None:
        return current_context().idempotency_key


@dataclass
class Stores:
    """What outlives a process: the stores in memory. Those of URLs do anyway."""

    events: InMemoryEventStore = field(default_factory=InMemoryEventStore)
    documents: InMemoryDocumentStore = field(default_factory=InMemoryDocumentStore)
    clock: FixedClock = field(default_factory=FixedClock)
    weather: Weather = field(default_factory=Weather)


@asynccontextmanager
async def process(backing: Backing, stores: Stores) -> AsyncGenerator[RunningService]:
    """One process of the service."""
    builder = WebApplicationBuilder(ServiceSettings(log_level="ERROR", **asdict(backing)))
    builder.add_controllers(__name__)
    builder.add_mediation(__name__)
    builder.add_event_sourcing(__name__, subscriptions="tests.framework.idempotency")
    builder.add_documents("tests.framework.idempotency")
    builder.services.add_instance(Weather, stores.weather)
    builder.services.add_instance(Clock, stores.clock)
    if backing == IN_MEMORY:
        builder.services.add_instance(EventStore, stores.events)
        builder.services.add_instance(DocumentStore, stores.documents)
    async with running(builder.build()) as service:
        yield service
