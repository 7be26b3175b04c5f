"""Jobs: what a task has to do once. They are work items, noted in the transaction of what needs them."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from neuroglia.core.clock import format_utc
from neuroglia.core.context import RequestContext
from neuroglia.core.errors import ConfigurationError
from neuroglia.core.ids import Ids, SystemIds, derived_id
from neuroglia.documents import WORK_ITEMS, Session, WorkItem
from neuroglia.event_sourcing import EventStore
from neuroglia.scheduling.tasks import TaskType

JOBS: Final = "jobs"
"""Their queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobInfo:
    """What a task may ask for in its constructor: about the job that it does.

    Attributes:
        id: of the job.
        key: that it was enqueued with.
        attempt: which one this is, from 1. One that ended because a service was `Unavailable` does not count.
        last: whether the job is dead if this attempt fails.
        scheduled_for: when it was to be begun at first; for a task with `every` or `cron` its time.
    """

    id: str
    key: str | None
    attempt: int
    last: bool
    scheduled_for: datetime


class CurrentJob:
    """Where the workers write down for a scope which job is done in it."""

    info: JobInfo | None = None


def job_of(current: CurrentJob) -> JobInfo:
    """The job of this scope.

    Raises:
        ConfigurationError: none is done in it.
    """
    if current.info is None:
        raise ConfigurationError("JobInfo: there is no job here; only background tasks can ask for it")
    return current.info


class Jobs:
    """Notes jobs."""

    def __init__(self, events: EventStore | None = None) -> None:
        self._events = events

    async def stage(
        self,
        session: Session,
        kind: TaskType,
        arguments: Any,
        context: RequestContext,
        *,
        due: datetime,
        key: str | None,
        ids: Ids | None = None,
    ) -> str:
        """Stages a job, and returns its id; nothing happens when its key is known. It remembers who enqueued it, and
        from which position on the effects of its commands stand in the log."""
        id = (ids or SystemIds()).new() if key is None else derived_id(JOBS, kind.options.name, key)
        if await session.get(WORK_ITEMS, id) is None:
            item = WorkItem(id=id, queue=JOBS, due=due)
            item.body = {
                "task": kind.options.name,
                "arguments": json.loads(kind.codec.encode(arguments)),
                "key": key,
                "scheduled_for": format_utc(due),
                "correlation_id": context.correlation_id,
                "causation_id": context.causation_id,
                "traceparent": context.traceparent,
                "since": None if self._events is None else await self._events.head(),
            }
            session.save(WORK_ITEMS, item)
        return id
