"""A service that can be broken and mended: bells, each ringing of which causes an echo. `python -m` serves it.

What is shown of a ringing that is called poison fails until there is a file `mended` in the data folder.
"""

from dataclasses import dataclass

from fastapi import FastAPI
from pydantic import BaseModel

from neuroglia.core import Ids
from neuroglia.documents import Documents, document
from neuroglia.domain import AggregateRoot, DomainEvent, Envelope, Repository, event, when
from neuroglia.event_sourcing import Projection, Reaction, on
from neuroglia.hosting import ServiceSettings, WebApplicationBuilder, run
from neuroglia.mediation import Command, CommandHandler, Mediator
from neuroglia.mvc import ControllerBase, post


@event("bells.rung.v1")
class Rung(DomainEvent):
    tone: str


@event("bells.echoed.v1")
class Echoed(DomainEvent):
    pass


class Bell(AggregateRoot, stream="bell"):
    rings: int = 0

    @when
    def _rung(self, event: Rung) -> None:
        self.rings += 1


class Echo(AggregateRoot, stream="echo"):
    @when
    def _echoed(self, event: Echoed) -> None: ...


@document("bells")
class BellDto(BaseModel):
    id: str
    tones: list[str] = []


class BellProjection(Projection):
    def __init__(self, bells: Documents[BellDto], settings: ServiceSettings) -> None:
        self.bells, self.settings = bells, settings

    @on
    async def rung(self, event: Rung, envelope: Envelope) -> None:
        if event.tone == "poison" and not (self.settings.data_dir / "mended").exists():
            raise ZeroDivisionError
        bell = await self.bells.lookup(envelope.aggregate_id) or BellDto(id=envelope.aggregate_id)
        bell.tones.append(event.tone)
        await self.bells.save(bell)


@dataclass(frozen=True, slots=True)
class Ring(Command[BellDto]):
    bell_id: str
    tone: str


class RingHandler(CommandHandler[Ring, BellDto]):
    def __init__(self, bells: Repository[Bell]) -> None:
        self.bells = bells

    async def handle(self, command: Ring) -> BellDto:
        bell = Bell(command.bell_id)
        bell.apply(Rung(tone=command.tone))
        await self.bells.save(bell)
        return BellDto(id=bell.id, tones=[command.tone])


@dataclass(frozen=True, slots=True)
class Answer(Command[None]):
    pass


class AnswerHandler(CommandHandler[Answer, None]):
    def __init__(self, echoes: Repository[Echo], ids: Ids) -> None:
        self.echoes, self.ids = echoes, ids

    async def handle(self, command: Answer) -> None:
        echo = Echo(self.ids.new())
        echo.apply(Echoed())
        await self.echoes.save(echo)


class EchoReaction(Reaction):
    def __init__(self, mediator: Mediator) -> None:
        self.mediator = mediator

    @on
    async def rung(self, event: Rung) -> None:
        await self.mediator.execute(Answer())


class BellsController(ControllerBase):
    @post("/{bell_id}", scopes=["bells"])
    async def ring(self, bell_id: str, tone: str = "ding") -> BellDto:
        return await self.mediator.execute(Ring(bell_id, tone))


def create_builder(settings: ServiceSettings) -> WebApplicationBuilder:
    package = "tests.framework.operations.bells"
    builder = WebApplicationBuilder(settings)
    builder.add_controllers(package)
    builder.add_mediation(package)
    builder.add_event_sourcing(package, subscriptions=package)
    builder.add_documents(package)
    builder.add_operations()
    return builder


def create_app(settings: ServiceSettings) -> FastAPI:
    return create_builder(settings).build()


if __name__ == "__main__":
    run(create_app, ServiceSettings)
