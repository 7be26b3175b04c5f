"""A controller that sends a command through the whole pipeline to its handler."""

from dataclasses import dataclass
from decimal import Decimal

from neuroglia.mediation import Command, CommandHandler
from neuroglia.mvc import ControllerBase, post
from tests.benchmarks.apps.models import Movement, MovementRequest
from tests.benchmarks.apps.serve import serve


@dataclass(frozen=True, slots=True)
class Move(Command[Movement]):
    account_id: str
    amount: Decimal
    reference: str


class MoveHandler(CommandHandler[Move, Movement]):
    async def handle(self, command: Move) -> Movement:
        return Movement(id="1", account_id=command.account_id, amount=command.amount, reference=command.reference)


class MovementsController(ControllerBase):
    @post(scopes=["movements:write"])
    async def move(self, request: MovementRequest) -> Movement:
        return await self.mediator.execute(Move(request.account_id, request.amount, request.reference))


if __name__ == "__main__":
    serve("tests.benchmarks.apps.mediated")
