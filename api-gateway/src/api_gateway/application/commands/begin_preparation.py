"""Noting that a prompt is going to be prepared."""

from dataclasses import dataclass

from api_gateway.domain.models.prompt import Prompt
from neuroglia.core import Clock
from neuroglia.domain import Repository
from neuroglia.mediation import Command, CommandHandler


@dataclass(frozen=True, slots=True)
class BeginPreparation(Command[Prompt]):
    """The preparation begins, perhaps anew: then a process has died over it."""

    prompt_id: str


class BeginPreparationHandler(CommandHandler[BeginPreparation, Prompt]):
    def __init__(self, prompts: Repository[Prompt], clock: Clock) -> None:
        self.prompts = prompts
        self.clock = clock

    async def handle(self, command: BeginPreparation) -> Prompt:
        prompt = await self.prompts.get(command.prompt_id)
        prompt.begin_preparation(self.clock.now())
        await self.prompts.save(prompt)
        return prompt
