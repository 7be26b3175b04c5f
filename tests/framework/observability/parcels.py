"""A small service in which one request leads to all that a trace can go through: `python -m` serves it.

A parcel is posted, and a process manager stamps it; a read model shows it, the outside is told, and a job weighs it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from fastapi import FastAPI
from pydantic import BaseModel, JsonValue

from neuroglia.cloud_events import CloudEventHandler, IntegrationEvent, cloud_event, publishes
from neuroglia.core import Ids
from neuroglia.documents import Documents, document
from neuroglia.domain import AggregateRoot, DomainEvent, Envelope, Repository, StateConflict, event, when
from neuroglia.event_sourcing import Projection, Reaction, on
from neuroglia.hosting import ServiceSettings, WebApplicationBuilder, run
from neuroglia.mediation import Command, CommandHandler, Mediator, Query, QueryHandler
from neuroglia.mvc import ControllerBase, get, post
from neuroglia.process_managers import ProcessManager, Step, Steps
from neuroglia.scheduling import BackgroundTask, BackgroundTasks, background_task


class ParcelSettings(ServiceSettings):
    service: ClassVar[str] = "parcels"


@event("parcels.posted.v1")
class Posted(DomainEvent):
    to: str


@event("parcels.stamped.v1")
class Stamped(DomainEvent):
    pass


class AlreadyStamped(StateConflict):
    code = "already-stamped"


class Parcel(AggregateRoot, stream="parcel"):
    to: str
    stamped: bool = False

    def send(self, to: str) -> None:
        self.apply(Posted(to=to))

    def stamp(self) -> None:
        if self.stamped:
            raise AlreadyStamped("It has a stamp.")
        self.apply(Stamped())

    @when
    def _posted(self, event: Posted) -> None:
        self.to = event.to

    @when
    def _stamped(self, event: Stamped) -> None:
        self.stamped = True


@document("parcels")
class ParcelDto(BaseModel):
    id: str
    stamped: bool = False


@document("weights")
class Weight(BaseModel):
    id: str
    grams: int


@dataclass(frozen=True, slots=True)
class Post(Command[ParcelDto]):
    to: str


class PostHandler(CommandHandler[Post, ParcelDto]):
    def __init__(self, parcels: Repository[Parcel], ids: Ids) -> None:
        self.parcels, self.ids = parcels, ids

    async def handle(self, command: Post) -> ParcelDto:
        parcel = Parcel(self.ids.new())
        parcel.send(command.to)
        await self.parcels.save(parcel)
        return ParcelDto(id=parcel.id)


@dataclass(frozen=True, slots=True)
class Stamp(Command[None]):
    id: str


class StampHandler(CommandHandler[Stamp, None]):
    def __init__(self, parcels: Repository[Parcel]) -> None:
        self.parcels = parcels

    async def handle(self, command: Stamp) -> None:
        parcel = await self.parcels.get(command.id)
        if parcel.to == "nowhere":
            raise ValueError(f"nobody lives at {parcel.to}")
        parcel.stamp()
        await self.parcels.save(parcel)


@dataclass(frozen=True, slots=True)
class Find(Query[ParcelDto]):
    id: str


class FindHandler(QueryHandler[Find, ParcelDto]):
    def __init__(self, parcels: Documents[ParcelDto]) -> None:
        self.parcels = parcels

    async def handle(self, query: Find) -> ParcelDto:
        return await self.parcels.get(query.id)


@dataclass(frozen=True, slots=True)
class Unstamped(Query[Sequence[str]]):
    before: datetime


class UnstampedHandler(QueryHandler[Unstamped, Sequence[str]]):
    async def handle(self, query: Unstamped) -> Sequence[str]:
        return []


class ParcelProjection(Projection):
    def __init__(self, parcels: Documents[ParcelDto]) -> None:
        self.parcels = parcels

    @on
    async def posted(self, event: Posted, envelope: Envelope) -> None:
        await self.parcels.save(ParcelDto(id=envelope.aggregate_id))

    @on
    async def stamped(self, event: Stamped, envelope: Envelope) -> None:
        parcel = await self.parcels.get(envelope.aggregate_id)
        parcel.stamped = True
        await self.parcels.save(parcel)


class Counter(ProcessManager, of=Parcel, sweep=timedelta(days=1)):
    @on
    def posted(self, event: Posted, envelope: Envelope) -> Steps:
        return Step(envelope.aggregate_id, "stamp", Stamp(envelope.aggregate_id))

    def unfinished(self, before: datetime) -> Unstamped:
        return Unstamped(before)


@background_task("weigh")
class Weigh(BackgroundTask[str]):
    def __init__(self, weights: Documents[Weight]) -> None:
        self.weights = weights

    async def run(self, arguments: str) -> None:
        await self.weights.save(Weight(id=arguments, grams=100))


class Scales(Reaction):
    def __init__(self, tasks: BackgroundTasks) -> None:
        self.tasks = tasks

    @on
    async def stamped(self, event: Stamped, envelope: Envelope) -> None:
        await self.tasks.enqueue(Weigh, envelope.aggregate_id, key=envelope.aggregate_id)


@publishes("io.parcels.stamped.v1")
def tell(event: Stamped, envelope: Envelope) -> Mapping[str, JsonValue]:
    return {"parcel_id": envelope.aggregate_id}


@cloud_event("io.customs.cleared.v1")
class Cleared(IntegrationEvent):
    parcel_id: str


class ClearedHandler(CloudEventHandler[Cleared]):
    def __init__(self, mediator: Mediator) -> None:
        self.mediator = mediator

    async def handle(self, event: Cleared) -> None:
        await self.mediator.execute(Stamp(event.parcel_id))


class ParcelsController(ControllerBase):
    @post(scopes=["parcels:write"], status_code=201, location="/{id}")
    async def send(self, to: str) -> ParcelDto:
        return await self.mediator.execute(Post(to))

    @post("/{id}/stamps", scopes=["parcels:write"], status_code=204)
    async def stamp(self, id: str) -> None:
        await self.mediator.execute(Stamp(id))

    @get("/{id}", scopes=["parcels:write"])
    async def find(self, id: str) -> ParcelDto:
        return await self.mediator.execute(Find(id))


def create_builder(settings: ParcelSettings) -> WebApplicationBuilder:
    builder = WebApplicationBuilder(settings)
    builder.add_controllers(__name__)
    builder.add_mediation(__name__)
    builder.add_event_sourcing(__name__, subscriptions=__name__)
    builder.add_documents(__name__)
    builder.add_background_tasks(__name__)
    builder.add_cloud_events(__name__)
    return builder


def create_app(settings: ParcelSettings) -> FastAPI:
    return create_builder(settings).build()


if __name__ == "__main__":
    run(create_app, ParcelSettings)
