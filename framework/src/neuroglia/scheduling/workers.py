"""What does the jobs."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from pydantic import ValidationError
from typing_extensions import override

from neuroglia.core.clock import parse_utc
from neuroglia.core.context import Principal, RequestContext
from neuroglia.core.errors import Unavailable
from neuroglia.core.ids import derived_id
from neuroglia.core.validation import misfits
from neuroglia.dependency_injection import Scope, ServiceProvider
from neuroglia.documents import WorkItem
from neuroglia.documents.attempts import back_off
from neuroglia.documents.workers import Unworkable, Workers
from neuroglia.scheduling.jobs import JOBS, CurrentJob, JobInfo
from neuroglia.scheduling.tasks import TaskTypes, background_task


@dataclass(frozen=True, slots=True)
class SchedulingOptions:
    """How many jobs a process does at the same time, and how soon others take over what it leaves."""

    workers: int
    lease_seconds: float


class JobWorkers(Workers):
    """Each job runs as its task. It is kept for a while when it is done, so that its key is known."""

    keeps = True

    def __init__(self, provider: ServiceProvider, types: TaskTypes, options: SchedulingOptions) -> None:
        super().__init__(provider, JOBS, workers=options.workers, lease_seconds=options.lease_seconds)
        self._types = types

    @override
    def _context(self, item: WorkItem) -> RequestContext:
        row = cast("dict[str, Any]", item.body)
        return RequestContext(
            correlation_id=row["correlation_id"], causation_id=row["causation_id"], traceparent=row["traceparent"],
            principal=Principal.system(row["task"]), since=row["since"], command_id=derived_id(JOBS, item.id),
        )  # fmt: skip

    @override
    async def _perform(self, item: WorkItem, scope: Scope) -> None:
        row = cast("dict[str, Any]", item.body)
        if (kind := self._types.get(row["task"])) is None:  # while versions change: another one knows it
            raise Unavailable(f"nobody here has the task {row['task']}")
        try:
            arguments = kind.decode(row["arguments"])
        except ValidationError as error:
            wrong = ", ".join(f"{one.pointer} {one.code}" for one in misfits(error))
            raise Unworkable(f"ArgumentsDoNotFit: {wrong}") from None
        (await scope.get(CurrentJob)).info = JobInfo(
            id=item.id, key=row["key"], attempt=item.attempts, last=item.attempts >= kind.options.attempts,
            scheduled_for=parse_utc(row["scheduled_for"]),
        )  # fmt: skip
        await (await scope.get(kind.task)).run(arguments)

    @override
    def _attempts_of(self, item: WorkItem) -> int:
        return self._options_of(item).attempts

    @override
    def _pause_after(self, item: WorkItem, error: Exception) -> float:
        if isinstance(error, Unavailable):
            return super()._pause_after(item, error)
        options = self._options_of(item)
        first, longest = options.first_pause.total_seconds(), options.longest_pause.total_seconds()
        return back_off(item.attempts, error, first=first, longest=longest)

    @override
    def _keep_until(self, item: WorkItem) -> datetime | None:
        return self._queue.now() + self._options_of(item).keep

    def _options_of(self, item: WorkItem) -> background_task:
        """How a job is done; of a task that nobody here knows, as jobs are usually done."""
        name = str(item.body["task"])
        return self._types[name].options if name in self._types else background_task(name)
