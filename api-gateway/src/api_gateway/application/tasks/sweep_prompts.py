"""Resuming what a dead process has left."""

from datetime import timedelta
from typing import Final

from api_gateway.application.limits import PromptLimits
from api_gateway.application.next_task import NEXT_TASK
from api_gateway.application.tasks.job import PromptJob
from api_gateway.domain.models.prompt import Prompt
from neuroglia.core import MAX_LIMIT, Clock
from neuroglia.documents import Documents, eq, le
from neuroglia.scheduling import BackgroundTask, BackgroundTasks, JobInfo, background_task

_OFTEN: Final = timedelta(minutes=1)


@background_task("sweep-prompts", every=_OFTEN)
class SweepPrompts(BackgroundTask[None]):
    """The jobs of a dead process are taken over by themselves. This is for those that are no more: they failed too
    often, or somebody has removed them. It never decides: it enqueues the job that is missing, once an hour."""

    def __init__(
        self, prompts: Documents[Prompt], tasks: BackgroundTasks, limits: PromptLimits, clock: Clock, job: JobInfo
    ) -> None:
        self.prompts = prompts
        self.tasks = tasks
        self.limits = limits
        self.clock = clock
        self.job = job

    async def run(self, _: None) -> None:
        before = self.clock.now() - self.limits.forgotten
        for work, task in NEXT_TASK.items():
            where = eq("work", work), le("changed_at", before)
            for prompt in (await self.prompts.find(*where, order="changed_at", limit=MAX_LIMIT)).items:
                job = PromptJob.of(prompt)
                await self.tasks.enqueue(task, job, key=f"{job.key}@{self.job.scheduled_for:%Y-%m-%dT%H}")
