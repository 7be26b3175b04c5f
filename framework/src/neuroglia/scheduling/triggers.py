"""The clock of tasks that run at their times. APScheduler tells when to look; which times have come, a row in the
document store tells, so that each of them gives one job over all replicas."""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from pydantic import BaseModel
from typing_extensions import override

from neuroglia.core.clock import Clock, format_utc
from neuroglia.core.context import RequestContext
from neuroglia.core.errors import ConcurrencyError, ConfigurationError, Unavailable
from neuroglia.core.lifecycle import HostedTasks
from neuroglia.documents import WORK_ITEMS, DocumentStore, DocumentType, Session, WorkState, document, eq, le, sweep
from neuroglia.scheduling.jobs import JOBS, Jobs
from neuroglia.scheduling.tasks import TaskType, TaskTypes
from neuroglia.scheduling.workers import JobWorkers

_SCHEDULER: Final[Any] = AsyncIOScheduler
_CRON: Final[Any] = CronTrigger
_INTERVAL: Final[Any] = IntervalTrigger
_log: Final = logging.getLogger("neuroglia.scheduling")
_MONDAY: Final = datetime(2024, 1, 1, tzinfo=UTC)
_STEP: Final = timedelta(microseconds=1)
_AT_ONCE: Final = 200
_AGAIN_S: Final = 1.0
"""When one looks again if the store does not answer."""
_ALL: Final = ""
_ALL_S: Final = 60
"""How often one looks at all of them, whatever has happened to the machine's clock, and for what can be forgotten."""


@document("schedules", key="task")
class Schedule(BaseModel):
    """How far a task's times are: a job was enqueued for each up to `fired`, or it was left out."""

    task: str
    fired: datetime


class Times:
    """The times of one task."""

    def __init__(self, trigger: Any) -> None:
        self.trigger = trigger  # one of APScheduler's, which have no types

    def between(self, after: datetime, until: datetime) -> Iterator[datetime]:
        """Those behind a moment, up to another."""
        while (time := self.trigger.get_next_fire_time(None, after + _STEP)) is not None and time <= until:
            yield time
            after = time

    def last(self, after: datetime, until: datetime) -> Sequence[datetime]:
        """The last of them, if there is any; it is looked for from the end, for there may be many."""
        window = timedelta(seconds=1)
        while not (found := [*self.between(max(after, until - window), until)]) and until - window > after:
            window *= 2
        return found[-1:]


def times_of(kind: TaskType) -> Times | None:
    """When a task runs by itself, if it does.

    Raises:
        ConfigurationError: its cron expression cannot be read, or would be misread.
    """
    options, where = kind.options, kind.task.__name__
    if options.every is not None:
        seconds = int(options.every.total_seconds())
        return Times(_INTERVAL(seconds=seconds, start_date=_MONDAY, timezone=UTC))
    if options.cron is None:
        return None
    if any(char.isdigit() for char in "".join(options.cron.split()[4:])):  # 0 is Monday here, and Sunday there
        raise ConfigurationError(f"{where}: cron='{options.cron}' has days of the week as numbers; write mon, tue, …")
    try:
        trigger, probe = (_CRON.from_crontab(options.cron, timezone=UTC) for _ in range(2))
    except ValueError as error:
        raise ConfigurationError(
            f"{where}: cron='{options.cron}' cannot be read ({error}); write five fields, as '*/5 * * * *'"
        ) from None
    probe.end_date = _MONDAY + timedelta(days=366 * 8)  # else it would look for thousands of years
    if probe.get_next_fire_time(None, _MONDAY) is None:
        raise ConfigurationError(f"{where}: cron='{options.cron}' never comes; write a day that there is")
    return Times(trigger)


class Triggers(HostedTasks):
    """Enqueues a job for each time of a task that comes, and removes what was kept long enough."""

    def __init__(
        self, documents: DocumentStore, clock: Clock, types: TaskTypes, jobs: Jobs, workers: JobWorkers
    ) -> None:
        super().__init__()
        self._documents, self._clock, self._types, self._jobs = documents, clock, types, jobs
        self._workers = workers
        self._schedules: DocumentType[Schedule] = DocumentType(Schedule)
        found = {name: times_of(kind) for name, kind in types.items()}
        self._times: Mapping[str, Times] = {name: times for name, times in found.items() if times is not None}
        self._rung: asyncio.Queue[str] = asyncio.Queue()
        self._stopping = asyncio.Event()

    @override
    async def start(self) -> None:
        self._begin(type(self).__name__, self._run())

    @override
    async def stop(self) -> None:
        self._stopping.set()
        self._rung.put_nowait(_ALL)
        await self._end()

    async def fire(self, name: str) -> None:
        """Enqueues what has come of a task's times since the last one for which somebody did. Seen for the first time,
        a task begins now."""
        more = True
        while more:
            with suppress(ConcurrencyError):  # another replica was faster; it may have seen less than we do
                more = await self._fire_some(self._types[name], self._times[name])

    async def forget(self) -> None:
        """Removes the jobs that are done, or cancelled, and were kept long enough."""
        for state in (WorkState.DONE, WorkState.DISCARDED):
            where, more = (eq("queue", JOBS), eq("state", state), le("due", self._clock.now())), True
            while more:
                more = await sweep(self._documents, WORK_ITEMS, *where, most=_AT_ONCE)

    async def _run(self) -> None:
        scheduler = _SCHEDULER(timezone=UTC)
        triggers = {name: times.trigger for name, times in self._times.items()}
        for name, trigger in {**triggers, _ALL: _INTERVAL(seconds=_ALL_S, timezone=UTC)}.items():
            scheduler.add_job(self._rung.put, trigger, [name], id=name, coalesce=True, misfire_grace_time=None)
        scheduler.start()
        self._rung.put_nowait(_ALL)  # what came while nobody was there
        try:
            while not self._stopping.is_set():
                await self._answer(await self._rung.get())
        finally:
            scheduler.shutdown(wait=False)

    async def _answer(self, name: str) -> None:
        try:
            for one in [name] if name else self._times:
                await self.fire(one)
            if name == _ALL:
                await self.forget()
        except Unavailable as error:
            _log.error("no job can be enqueued, trying again", exc_info=error)
            self._rung.put_nowait(name)
            with suppress(TimeoutError):
                async with asyncio.timeout(_AGAIN_S):
                    await self._stopping.wait()

    async def _fire_some(self, kind: TaskType, times: Times) -> bool:
        """Returns whether there may be more."""
        session, now, options = Session(self._documents), self._clock.now(), kind.options
        known = await session.get(self._schedules, options.name)
        row = known or Schedule(task=options.name, fired=now)
        begin = row.fired if options.misfire_grace is None else max(row.fired, now - options.misfire_grace)
        missed = next(times.between(row.fired, begin), None)
        come = list(islice((times.last if options.coalesce else times.between)(begin, now), _AT_ONCE))
        for time in come:
            key, context = f"{options.name}@{format_utc(time)}", RequestContext.new()
            await self._jobs.stage(session, kind, None, context, due=time, key=key)
        if come or missed or not known:
            row.fired = come[-1] if come else begin
            session.save(self._schedules, row)
            await session.commit()
            self._workers.wake()
        if missed is not None:  # told by the one whose commit it is
            _log.warning("times missed", extra={"task": options.name, "first": format_utc(missed)})
        return bool(come)
