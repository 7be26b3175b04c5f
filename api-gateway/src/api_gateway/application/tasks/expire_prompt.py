"""Ending prompts that got no response in time."""

from api_gateway.application.commands.end_waiting import EndWaiting
from api_gateway.application.tasks.job import PromptJob
from neuroglia.mediation import Mediator
from neuroglia.scheduling import BackgroundTask, background_task


@background_task("expire-prompt", attempts=5)
class ExpirePrompt(BackgroundTask[PromptJob]):
    """Enqueued for the moment when a prompt's time is over."""

    def __init__(self, mediator: Mediator) -> None:
        self.mediator = mediator

    async def run(self, arguments: PromptJob) -> None:
        await self.mediator.execute(EndWaiting(arguments.prompt_id))
