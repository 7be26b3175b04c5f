"""Taking in the response to a prompt."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import JsonValue

from api_gateway.application.tasks.call_back import CallBack
from api_gateway.application.tasks.job import PromptJob
from api_gateway.domain.models.prompt import Prompt, Work
from api_gateway.integration.models.prompts import PromptDto
from neuroglia.core import Clock
from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Command, CommandHandler
from neuroglia.scheduling import BackgroundTasks


@dataclass(frozen=True, slots=True)
class AcceptResponse(Command[PromptDto]):
    """The response is there, to this attempt if that is told. The same one again changes nothing."""

    prompt_id: str
    response: Mapping[str, JsonValue]
    attempt: int | None = None


class AcceptResponseHandler(CommandHandler[AcceptResponse, PromptDto]):
    def __init__(self, prompts: Repository[Prompt], tasks: BackgroundTasks, clock: Clock, mapper: Mapper) -> None:
        self.prompts = prompts
        self.tasks = tasks
        self.clock = clock
        self.mapper = mapper

    async def handle(self, command: AcceptResponse) -> PromptDto:
        prompt = await self.prompts.get(command.prompt_id)
        before = prompt.version
        prompt.complete(command.response, command.attempt, self.clock.now())
        if prompt.version != before:
            await self.prompts.save(prompt)
            job = PromptJob.of(prompt)
            if prompt.work is Work.RESPOND:
                await self.tasks.enqueue(CallBack, job, key=job.key)
        return self.mapper.map(prompt, PromptDto)
