"""A service whose read model dies of one kind of event, and takes the whole process with it, or falls asleep in the
midst of a handler when it finds a file in the folder `BEDS`: `python -m`."""

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from pydantic import BaseModel

from neuroglia.core import Ids
from neuroglia.documents import Documents, document
from neuroglia.domain import AggregateRoot, DomainEvent, Envelope, Repository, event, when
from neuroglia.event_sourcing import Projection, Reaction, on
from neuroglia.hosting import ServiceSettings, WebApplicationBuilder, run
from neuroglia.mediation import Command, CommandHandler, Query, QueryHandler
from neuroglia.mvc import ControllerBase, get, post
from neuroglia.testing import kill_this_process


@event("fragile.cup-filled.v1")
class CupFilled(DomainEvent):
    deadly: bool


class Cup(AggregateRoot, stream="cup"):
    fillings: int = 0

    @when
    def _filled(self, event: CupFilled) -> None:
        self.fillings += 1


@document("cups")
class CupDto(BaseModel):
    id: str
    fillings: int


@document("praises", key="cup_id")
class PraiseDto(BaseModel):
    cup_id: str
    count: int


def sleep_in(bed: str) -> None:
    """Until somebody sends SIGCONT, if there is a file of this name."""
    with suppress(FileNotFoundError):
        (Path(os.environ.get("BEDS", "nowhere")) / bed).unlink()
        os.kill(os.getpid(), signal.SIGSTOP)


class CupProjection(Projection):
    def __init__(self, cups: Documents[CupDto]) -> None:
        self.cups = cups

    @on
    async def filled(self, event: CupFilled, envelope: Envelope) -> None:
        if event.deadly:
            kill_this_process()
        cup = await self.cups.lookup(envelope.aggregate_id) or CupDto(id=envelope.aggregate_id, fillings=0)
        cup.fillings += 1
        sleep_in("projection")
        await self.cups.save(cup)


class Praising(Reaction):
    def __init__(self, praises: Documents[PraiseDto]) -> None:
        self.praises = praises

    @on
    async def filled(self, event: CupFilled, envelope: Envelope) -> None:
        praise = await self.praises.lookup(envelope.aggregate_id) or PraiseDto(cup_id=envelope.aggregate_id, count=0)
        praise.count += 1
        sleep_in("reaction")
        await self.praises.save(praise)


@dataclass(frozen=True, slots=True)
class Fill(Command[CupDto]):
    cup_id: str | None
    deadly: bool


class FillHandler(CommandHandler[Fill, CupDto]):
    def __init__(self, cups: Repository[Cup], ids: Ids) -> None:
        self.cups, self.ids = cups, ids

    async def handle(self, command: Fill) -> CupDto:
        cup = await self.cups.get(command.cup_id) if command.cup_id else Cup(self.ids.new())
        cup.apply(CupFilled(deadly=command.deadly))
        await self.cups.save(cup)
        return CupDto(id=cup.id, fillings=cup.fillings)


@dataclass(frozen=True, slots=True)
class GetCup(Query[CupDto]):
    cup_id: str


class GetCupHandler(QueryHandler[GetCup, CupDto]):
    def __init__(self, cups: Documents[CupDto]) -> None:
        self.cups = cups

    async def handle(self, query: GetCup) -> CupDto:
        return await self.cups.get(query.cup_id)


@dataclass(frozen=True, slots=True)
class GetPraise(Query[PraiseDto]):
    cup_id: str


class GetPraiseHandler(QueryHandler[GetPraise, PraiseDto]):
    def __init__(self, praises: Documents[PraiseDto]) -> None:
        self.praises = praises

    async def handle(self, query: GetPraise) -> PraiseDto:
        return await self.praises.get(query.cup_id)


class CupsController(ControllerBase):
    @post(status_code=201, location="/{id}", scopes=["cups"])
    async def fill_new(self) -> CupDto:
        return await self.mediator.execute(Fill(None, deadly=False))

    @post("/{cup_id}/fillings", scopes=["cups"])
    async def fill(self, cup_id: str, deadly: bool = False) -> CupDto:
        return await self.mediator.execute(Fill(cup_id, deadly=deadly))

    @get("/{cup_id}", scopes=["cups"])
    async def show(self, cup_id: str) -> CupDto:
        return await self.mediator.execute(GetCup(cup_id))

    @get("/{cup_id}/praise", scopes=["cups"])
    async def praise(self, cup_id: str) -> PraiseDto:
        return await self.mediator.execute(GetPraise(cup_id))


def create_app(settings: ServiceSettings) -> FastAPI:
    builder = WebApplicationBuilder(settings)
    builder.add_controllers(__name__)
    builder.add_mediation(__name__)
    builder.add_event_sourcing(__name__, subscriptions=__name__)
    builder.add_documents(__name__)
    return builder.build()


if __name__ == "__main__":
    run(create_app, ServiceSettings)
