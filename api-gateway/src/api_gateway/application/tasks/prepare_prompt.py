"""Preparing a prompt: fetching its data."""

from api_gateway.application.commands.begin_preparation import BeginPreparation
from api_gateway.application.commands.end_preparation import EndPreparation
from api_gateway.application.commands.fault_prompt import FaultPrompt
from api_gateway.application.tasks.job import PromptJob
from api_gateway.domain.models.prompt import Prompt
from api_gateway.integration.ports import DataObject, DataPackages, DataRefused
from neuroglia.mediation import Mediator
from neuroglia.scheduling import BackgroundTask, background_task


@background_task("prepare-prompt", attempts=5)
class PreparePrompt(BackgroundTask[PromptJob]):
    """While the other side or the object store does not answer, the job waits; the prompt expires in time."""

    def __init__(self, mediator: Mediator, packages: DataPackages) -> None:
        self.mediator = mediator
        self.packages = packages

    async def run(self, arguments: PromptJob) -> None:
        prompt = await self.mediator.execute(BeginPreparation(arguments.prompt_id))
        try:
            data_object = await self._fetch(prompt)
        except DataRefused as refusal:
            fault = FaultPrompt(prompt.id, prompt.retries, f"data-{refusal.code}", str(refusal))
            await self.mediator.execute(fault)
        else:
            await self.mediator.execute(EndPreparation(prompt.id, data_object))

    async def _fetch(self, prompt: Prompt) -> DataObject | None:
        """Once more if it was fetched before: the name is the prompt's, so that nothing is left behind."""
        return None if prompt.data_url is None else await self.packages.fetch(prompt.data_url, name=prompt.id)
