"""Resuming what a dead process has left."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Final

from api_gateway.application.limits import PromptLimits
from api_gateway.application.next_task import NEXT_TASK
from api_gateway.application.tasks.job import PromptJob
from api_gateway.domain.models.prompt import Prompt, Work
from neuroglia.core import Clock
from neuroglia.documents import Documents, DocumentStore, DocumentType, Session, eq, le
from neuroglia.scheduling import BackgroundTask, BackgroundTasks, JobInfo, background_task

_OFTEN: Final = timedelta(minutes=1)
_AT_ONCE: Final = 10
"""A prompt may have half a mebibyte, and there may be many that nobody has worked on."""
_PAGES: Final = 500
"""More are not looked at in one go."""


@background_task("sweep-prompts", every=_OFTEN)
class SweepPrompts(BackgroundTask[None]):
    """The jobs of a dead process are taken over by themselves. This is for those that are no more: they failed too
    often, or somebody has removed them. It never decides: it enqueues the job that is missing, once an hour."""

    def __init__(
        self,
        kind: DocumentType[Prompt],
        documents: DocumentStore,
        tasks: BackgroundTasks,
        limits: PromptLimits,
        clock: Clock,
        job: JobInfo,
    ) -> None:
        self.kind = kind
        self.documents = documents
        self.tasks = tasks
        self.limits = limits
        self.clock = clock
        self.job = job

    async def run(self, _: None) -> None:
        for work, task in NEXT_TASK.items():
            async for prompt in self._forgotten(work):
                job = PromptJob.of(prompt)
                await self.tasks.enqueue(task, job, key=f"{job.key}@{self.job.scheduled_for:%Y-%m-%dT%H}")

    async def _forgotten(self, work: Work) -> AsyncIterator[Prompt]:
        where = eq("work", work), le("changed_at", self.clock.now() - self.limits.forgotten)
        cursor = None
        for _ in range(_PAGES):
            prompts = Documents(self.kind, Session(self.documents))  # one session keeps all that it has seen
            page = await prompts.find(*where, order="changed_at", limit=_AT_ONCE, cursor=cursor)
            for prompt in page.items:
                yield prompt
            if (cursor := page.next_cursor) is None:
                return
