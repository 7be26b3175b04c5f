"""Letting a faulted prompt go on."""

from dataclasses import dataclass

from api_gateway.application.limits import PromptLimits
from api_gateway.application.next_task import NEXT_TASK
from api_gateway.application.tasks.expire_prompt import ExpirePrompt
from api_gateway.application.tasks.job import PromptJob
from api_gateway.domain.models.prompt import Prompt
from api_gateway.integration.models.prompts import PromptDto
from neuroglia.core import Clock
from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Command, CommandHandler
from neuroglia.scheduling import BackgroundTasks


@dataclass(frozen=True, slots=True)
class RetryPrompt(Command[PromptDto]):
    """It goes on from where it had come to; if it is submitted, then as the next attempt."""

    prompt_id: str


class RetryPromptHandler(CommandHandler[RetryPrompt, PromptDto]):
    def __init__(
        self, prompts: Repository[Prompt], tasks: BackgroundTasks, limits: PromptLimits, clock: Clock, mapper: Mapper
    ) -> None:
        self.prompts = prompts
        self.tasks = tasks
        self.limits = limits
        self.clock = clock
        self.mapper = mapper

    async def handle(self, command: RetryPrompt) -> PromptDto:
        prompt, now = await self.prompts.get(command.prompt_id), self.clock.now()
        prompt.retry(now, now + self.limits.patience)
        await self.prompts.save(prompt)
        job = PromptJob.of(prompt)
        await self.tasks.enqueue(NEXT_TASK[prompt.work], job, key=job.key)
        await self.tasks.enqueue(ExpirePrompt, job, at=prompt.expires_at, key=job.key)
        return self.mapper.map(prompt, PromptDto)
