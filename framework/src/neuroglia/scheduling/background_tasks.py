"""Enqueuing jobs."""

from datetime import datetime, timedelta
from typing import TypeVar

from typing_extensions import override

from neuroglia.core.clock import Clock, in_utc
from neuroglia.core.context import RequestContext
from neuroglia.core.ids import Ids
from neuroglia.core.lifecycle import UnitOfWork
from neuroglia.documents import Session
from neuroglia.scheduling.jobs import Jobs
from neuroglia.scheduling.tasks import BackgroundTask, TaskTypes
from neuroglia.scheduling.workers import JobWorkers

A = TypeVar("A")


class Promptly(UnitOfWork):
    """Lets the workers look for work as soon as a command is stored that has enqueued some."""

    def __init__(self, workers: JobWorkers) -> None:
        self.needed = False
        self._workers = workers

    @override
    async def commit(self) -> None:
        if self.needed:
            self._workers.wake()


class BackgroundTasks:
    """What is enqueued is stored in the commit of this scope, or not at all."""

    def __init__(
        self, session: Session, jobs: Jobs, types: TaskTypes, ids: Ids, clock: Clock, context: RequestContext,
        promptly: Promptly,
    ) -> None:  # fmt: skip
        self._session, self._jobs, self._types, self._ids = session, jobs, types, ids
        self._clock, self._context, self._promptly = clock, context, promptly

    async def enqueue(
        self,
        task: type[BackgroundTask[A]],
        arguments: A,
        *,
        after: timedelta | None = None,
        at: datetime | None = None,
        key: str | None = None,
    ) -> str:
        """Enqueues a job: for now, for later, or for a moment.

        Args:
            task: what shall be done.
            arguments: what it is told.
            after: not before so much time has passed, counted from now or from `at`.
            at: not before this moment.
            key: names the job among those of its task. If there is one with this key, be it done or dead, nothing is
                enqueued, whatever its arguments were. A key is known until the task's `keep` has passed since the
                job's end.

        Returns:
            The id of the job: for a key that is known, of the one that is there.

        Raises:
            ConfigurationError: the task was not found when the application was built.
            ValueError: the arguments cannot be written as JSON; `at` names no instant.
        """
        kind = self._types.of(task)
        due = (self._clock.now() if at is None else in_utc(at)) + (after or timedelta())
        self._promptly.needed = True
        return await self._jobs.stage(self._session, kind, arguments, self._context, due=due, key=key, ids=self._ids)
