"""Calling a caller back with the response."""

from api_gateway.application.commands.fault_prompt import FaultPrompt
from api_gateway.application.commands.record_delivery import RecordDelivery
from api_gateway.application.persistent import persistent
from api_gateway.application.tasks.job import PromptJob
from api_gateway.domain.models.prompt import Prompt, Work
from api_gateway.integration.models.callbacks import CallbackBody
from api_gateway.integration.ports import CallbackFailed, CallbackRefused, Callbacks, UrlRefused
from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Command, Mediator
from neuroglia.scheduling import BackgroundTask, JobInfo, background_task


@background_task("call-back", attempts=10)
class CallBack(BackgroundTask[PromptJob]):
    """Tries again and again, with growing pauses, then gives up: the prompt faults, with the response kept."""

    def __init__(
        self, prompts: Repository[Prompt], callbacks: Callbacks, mediator: Mediator, mapper: Mapper, job: JobInfo
    ) -> None:
        self.prompts = prompts
        self.callbacks = callbacks
        self.mediator = mediator
        self.mapper = mapper
        self.job = job

    async def run(self, arguments: PromptJob) -> None:
        prompt = await self.prompts.get(arguments.prompt_id)
        if prompt.work is not Work.RESPOND or prompt.callback_url is None:
            return
        body = self.mapper.map(prompt, CallbackBody).model_dump_json().encode()
        try:
            await self.callbacks.deliver(
                prompt.callback_url, body, id=prompt.id, caller_id=prompt.caller_id, attempt=self.job.attempt
            )
        except (UrlRefused, CallbackRefused) as refusal:
            await self._note(FaultPrompt(prompt.id, prompt.retries, "callback-refused", str(refusal)))
        except CallbackFailed as failure:
            if not self.job.last:
                raise
            await self._note(FaultPrompt(prompt.id, prompt.retries, "callback-failed", str(failure)))
        else:
            await self._note(RecordDelivery(prompt.id))

    @persistent
    async def _note(self, command: Command[None]) -> None:
        await self.mediator.execute(command)
