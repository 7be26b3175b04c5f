"""Workers: they do the items of one queue, several at the same time, and whatever fails is tried again."""

import asyncio
import logging
from abc import abstractmethod
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar, Final

import tenacity
from typing_extensions import override

from neuroglia.core.clock import Clock
from neuroglia.core.context import RequestContext, switch_context
from neuroglia.core.errors import ConcurrencyError, Unavailable
from neuroglia.core.ids import SystemIds
from neuroglia.core.lifecycle import HostedTasks
from neuroglia.dependency_injection import Scope, ServiceProvider
from neuroglia.documents.attempts import back_off, failure_of
from neuroglia.documents.session import Session
from neuroglia.documents.store import DocumentStore
from neuroglia.documents.work_items import WORK_ITEMS, WorkItem, WorkQueue
from neuroglia.domain import DomainError
from neuroglia.observability import Tracing

_log: Final = logging.getLogger("neuroglia.work")
_ATTEMPTS: Final = 3
_TRIES: Final = 8
"""So often is an attempt repeated at once that lost a race for a document."""
_POLL_S: Final = 1.0
"""How often one looks for what other processes have added."""
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 30.0


class Unworkable(Exception):
    """No attempt at an item can succeed: it is parked at once. The message is kept, and holds nothing secret."""


class Workers(HostedTasks):
    """One process's workers of one queue. Each item is done in a scope of its own, and its end is committed together
    with what it stages there.

    A claimed item stays ours as long as it is worked at. A `DomainError` is an answer, and the item is done. When a
    backing service is `Unavailable` it waits, and that does not count; any other failure counts as an attempt, noted
    before it began. After too many of them the item is parked.

    Attributes:
        keeps: whether what is done is kept.
    """

    keeps: ClassVar[bool] = False

    def __init__(
        self, provider: ServiceProvider, queue: str, *, workers: int, lease_seconds: float, ordered: bool = False
    ) -> None:
        super().__init__()
        self._provider, self._workers, self._tracing = provider, workers, provider.get_now(Tracing)
        store, clock, owner = provider.get_now(DocumentStore), provider.get_now(Clock), SystemIds().new()
        self._queue = WorkQueue(store, clock, queue=queue, owner=owner, seconds=lease_seconds, ordered=ordered)
        self._busy: set[asyncio.Task[None]] = set()
        self._wake, self._stopping = asyncio.Event(), asyncio.Event()

    @abstractmethod
    def _context(self, item: WorkItem) -> RequestContext:
        """In which it is done."""

    @abstractmethod
    async def _perform(self, item: WorkItem, scope: Scope) -> None:
        """Does it."""

    def _attempts_of(self, item: WorkItem) -> int:  # noqa: ARG002
        """How many it gets."""
        return _ATTEMPTS

    def _pause_after(self, item: WorkItem, error: Exception) -> float:
        """Seconds until it is tried again after a failure."""
        return _pause(item.waits + 1 if isinstance(error, Unavailable) else item.attempts, error)

    def _keep_until(self, item: WorkItem) -> datetime | None:  # noqa: ARG002
        """How long it is kept when it is done, if it `keeps`. None: for ever."""
        return None

    def wake(self) -> None:
        """There is something to do."""
        self._wake.set()

    @override
    async def start(self) -> None:
        self._begin(type(self).__name__, self._run())

    @override
    async def stop(self) -> None:
        self._stopping.set()
        self._wake.set()
        await self._end()

    async def _run(self) -> None:
        failures = 0
        async with asyncio.TaskGroup() as group:  # left when all in hand is done
            while not self._stopping.is_set():
                self._wake.clear()
                try:
                    claimed = await self._queue.claim(self._workers - len(self._busy))
                    failures, pause = 0, _POLL_S
                except Unavailable as error:
                    claimed, failures = (), failures + 1
                    pause = _pause(failures, error)
                    _log.error("no work can be claimed, trying again", exc_info=error)
                for item in claimed:
                    task = group.create_task(self._try(item))
                    self._busy.add(task)
                    task.add_done_callback(self._done)
                if not claimed:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(pause):
                            await (self._stopping if failures else self._wake).wait()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._busy.discard(task)
        self._wake.set()

    async def _try(self, item: WorkItem) -> None:
        queue = self._queue
        if item.attempts > self._attempts_of(item):  # counted by processes that did not live to tell how it failed
            await self._leave(partial(queue.park, item, "ProcessDied"))
            return
        try:
            await tenacity.AsyncRetrying(
                retry=tenacity.retry_if_exception(partial(_lost_a_race, item)),
                stop=tenacity.stop_after_attempt(_TRIES),
                wait=tenacity.wait_random_exponential(0.002, 0.1),
                reraise=True,
            )(self._attempt, item)
        except asyncio.CancelledError:
            with suppress(ConcurrencyError, Unavailable):  # else it is taken over in time
                await queue.hand_back(item, due=queue.now(), error=item.error, counts=False)
            raise
        except Exception as error:  # noqa: BLE001 - whatever the work raises: it is told, and noted
            hopeless, waits = isinstance(error, Unworkable), isinstance(error, Unavailable)
            name = str(error) if hopeless else type(error).__name__
            _log.error("work failed", exc_info=error, extra={"item": item.id, "attempt": item.attempts})
            if hopeless or (item.attempts >= self._attempts_of(item) and not waits):
                await self._leave(partial(queue.park, item, name))
                return
            due = queue.now() + timedelta(seconds=self._pause_after(item, error))
            await self._leave(partial(queue.hand_back, item, due=due, error=name, counts=not waits))

    async def _attempt(self, item: WorkItem) -> None:
        try:
            await self._do(item)
        except asyncio.CancelledError as cancelled:  # of the handler, or of the end of its scope
            raise failure_of(cancelled) from None

    async def _do(self, item: WorkItem) -> None:
        async with self._provider.create_scope() as scope:
            session, outcome = await scope.get(Session), None
            async with self._renewed(item):
                switch_context(context := self._context(item))  # to the end of its task: failures are logged with it
                try:
                    with self._tracing.handling(item.queue, item.id, context):
                        await self._perform(item, scope)
                except DomainError as refusal:
                    _log.info("work refused", extra={"item": item.id, "outcome": refusal.code})
                    session, outcome = Session(session.store), refusal.code  # what was staged before it is void
            if self.keeps:
                await self._queue.keep(item, session, outcome, self._keep_until(item))
            else:
                await self._queue.finish(item, session)
            await session.commit()

    async def _leave(self, leave: Callable[[], Awaitable[None]]) -> None:
        """Does not give up before that is stored, or somebody else has the item. (A lambda is not awaited.)"""
        with suppress(ConcurrencyError, tenacity.RetryError):
            await tenacity.AsyncRetrying(
                retry=tenacity.retry_if_exception_type(Unavailable),
                wait=tenacity.wait_random_exponential(_FIRST_PAUSE_S, _LONGEST_PAUSE_S),
                stop=lambda _: self._stopping.is_set(),
            )(leave)

    @asynccontextmanager
    async def _renewed(self, item: WorkItem) -> AsyncGenerator[None]:
        """Keeps an item ours for so long. No renewal is under way afterwards: the next change ends it."""
        over = asyncio.Event()

        async def renew() -> None:
            while not over.is_set():
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._queue.seconds / 3):
                        await over.wait()
                        return
                with suppress(Unavailable):
                    await self._queue.renew(item)

        renewal = asyncio.create_task(renew())
        try:
            yield
        finally:
            over.set()
            await renewal


def _lost_a_race(item: WorkItem, error: BaseException) -> bool:
    """Whether the work came in between with other work, and still has its item."""
    return isinstance(error, ConcurrencyError) and error.stream != f"{WORK_ITEMS.collection}/{item.id}"


def _pause(failures: int, error: Exception) -> float:
    return back_off(failures, error, first=_FIRST_PAUSE_S, longest=_LONGEST_PAUSE_S)
