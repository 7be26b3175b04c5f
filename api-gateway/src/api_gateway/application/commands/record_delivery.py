"""Noting that a caller was called back."""

from dataclasses import dataclass

from api_gateway.domain.models.prompt import Prompt
from neuroglia.core import Clock
from neuroglia.domain import Repository
from neuroglia.mediation import Command, CommandHandler


@dataclass(frozen=True, slots=True)
class RecordDelivery(Command[None]):
    """The caller has the response."""

    prompt_id: str


class RecordDeliveryHandler(CommandHandler[RecordDelivery, None]):
    def __init__(self, prompts: Repository[Prompt], clock: Clock) -> None:
        self.prompts = prompts
        self.clock = clock

    async def handle(self, command: RecordDelivery) -> None:
        prompt = await self.prompts.get(command.prompt_id)
        prompt.respond(self.clock.now())
        await self.prompts.save(prompt)
