"""Ending a prompt whose time is over."""

from dataclasses import dataclass

from api_gateway.domain.models.prompt import Prompt
from neuroglia.core import Clock
from neuroglia.domain import Repository
from neuroglia.mediation import Command, CommandHandler


@dataclass(frozen=True, slots=True)
class EndWaiting(Command[None]):
    """The prompt faults if its time is over, and it has no response."""

    prompt_id: str


class EndWaitingHandler(CommandHandler[EndWaiting, None]):
    def __init__(self, prompts: Repository[Prompt], clock: Clock) -> None:
        self.prompts = prompts
        self.clock = clock

    async def handle(self, command: EndWaiting) -> None:
        prompt, now = await self.prompts.get(command.prompt_id), self.clock.now()
        if prompt.expire(now):
            await self.prompts.save(prompt)
