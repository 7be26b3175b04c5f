"""A service as small as can be: one aggregate, one read model, and a projection that one event breaks."""

from pydantic import BaseModel

from neuroglia.documents import Documents, document
from neuroglia.domain import AggregateRoot, DomainEvent, Envelope, event, when
from neuroglia.event_sourcing import Projection, on


@event("test.lamp-lit.v1")
class LampLit(DomainEvent):
    broken: bool = False


class Lamp(AggregateRoot, stream="lamp"):
    lit: bool

    @when
    def _lit(self, event: LampLit) -> None:
        self.lit = True


@document("lamps")
class LampDto(BaseModel):
    id: str


class LampProjection(Projection):
    def __init__(self, lamps: Documents[LampDto]) -> None:
        self.lamps = lamps

    @on
    async def lit(self, event: LampLit, envelope: Envelope) -> None:
        if event.broken:
            raise ValueError("the bulb of Ada's bedside lamp is broken")
        await self.lamps.save(LampDto(id=envelope.aggregate_id))
