"""Noting that a prompt cannot go on."""

from dataclasses import dataclass

from api_gateway.domain.models.prompt import Prompt
from neuroglia.core import Clock
from neuroglia.domain import Repository
from neuroglia.mediation import Command, CommandHandler


@dataclass(frozen=True, slots=True)
class FaultPrompt(Command[None]):
    """It faults, for a reason that its caller may know; unless it was retried since, so often as `retries` says."""

    prompt_id: str
    retries: int
    code: str
    detail: str


class FaultPromptHandler(CommandHandler[FaultPrompt, None]):
    def __init__(self, prompts: Repository[Prompt], clock: Clock) -> None:
        self.prompts = prompts
        self.clock = clock

    async def handle(self, command: FaultPrompt) -> None:
        prompt = await self.prompts.get(command.prompt_id)
        if prompt.retries == command.retries:
            prompt.fault(command.code, command.detail, self.clock.now())
            await self.prompts.save(prompt)
