"""Noting that all is there that a prompt needs."""

from dataclasses import dataclass

from api_gateway.application.tasks.job import PromptJob
from api_gateway.application.tasks.submit_prompt import SubmitPrompt
from api_gateway.domain.models.data_object import DataObject
from api_gateway.domain.models.prompt import Prompt
from neuroglia.core import Clock
from neuroglia.domain import Repository
from neuroglia.mediation import Command, CommandHandler
from neuroglia.scheduling import BackgroundTasks


@dataclass(frozen=True, slots=True)
class EndPreparation(Command[None]):
    """The prompt is prepared, with this data if it has any. It is submitted next."""

    prompt_id: str
    data_object: DataObject | None


class EndPreparationHandler(CommandHandler[EndPreparation, None]):
    def __init__(self, prompts: Repository[Prompt], tasks: BackgroundTasks, clock: Clock) -> None:
        self.prompts = prompts
        self.tasks = tasks
        self.clock = clock

    async def handle(self, command: EndPreparation) -> None:
        prompt = await self.prompts.get(command.prompt_id)
        prompt.end_preparation(command.data_object, self.clock.now())
        await self.prompts.save(prompt)
        job = PromptJob.of(prompt)
        await self.tasks.enqueue(SubmitPrompt, job, key=job.key)
