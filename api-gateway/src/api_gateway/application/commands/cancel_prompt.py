"""Cancelling a prompt."""

from dataclasses import dataclass

from api_gateway.application.access import require_access
from api_gateway.domain.models.prompt import Prompt
from api_gateway.integration.models.prompts import PromptDto
from neuroglia.core import Clock, RequestContext
from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Command, CommandHandler


@dataclass(frozen=True, slots=True)
class CancelPrompt(Command[PromptDto]):
    """Nobody wants it any more. What is under way for it may still end, and changes nothing."""

    prompt_id: str


class CancelPromptHandler(CommandHandler[CancelPrompt, PromptDto]):
    def __init__(self, prompts: Repository[Prompt], context: RequestContext, clock: Clock, mapper: Mapper) -> None:
        self.prompts = prompts
        self.context = context
        self.clock = clock
        self.mapper = mapper

    async def handle(self, command: CancelPrompt) -> PromptDto:
        prompt = await self.prompts.get(command.prompt_id)
        require_access(prompt, self.context.principal)
        prompt.cancel(self.clock.now())
        await self.prompts.save(prompt)
        return self.mapper.map(prompt, PromptDto)
