"""The subscription runner: takes events from the store, in order, through a projection, each once."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import tenacity
from typing_extensions import override

from neuroglia.core.clock import Clock
from neuroglia.core.context import RequestContext, use_context
from neuroglia.core.errors import ConcurrencyError, Unavailable
from neuroglia.core.ids import SystemIds
from neuroglia.core.lifecycle import HostedService
from neuroglia.dependency_injection import ServiceProvider
from neuroglia.documents import DocumentStore, DocumentType, Lease, Session
from neuroglia.event_sourcing.checkpoints import Checkpoint
from neuroglia.event_sourcing.codec import EventCodec, UnknownEventType
from neuroglia.event_sourcing.projections import Projection, ProjectionType
from neuroglia.event_sourcing.store import BEGINNING, Batch, EventStore, EventSubscription, StoredEvent

_log: Final = logging.getLogger("neuroglia.subscriptions")
_STOP_S: Final = 5.0
_RECONNECT_S: Final = 0.5
_LOOK_S: Final = 0.05
"""How often a process that stands by looks how far the other one is, while somebody waits for that."""
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 30.0


class SubscriptionState(StrEnum):
    """What a subscription is doing."""

    STARTING = "starting"
    CATCHING_UP = "catching_up"
    LIVE = "live"
    STANDBY = "standby"
    RETRYING = "retrying"
    STOPPED = "stopped"


@dataclass(slots=True)
class SubscriptionStatus:
    """How a subscription is, for health and metrics.

    Attributes:
        position: of the last event passed.
        unknown_events: how many were passed whose type this version of the service does not know.
        error: the type of the last failure, until a batch succeeds.
    """

    name: str
    state: SubscriptionState = SubscriptionState.STARTING
    position: int = BEGINNING
    unknown_events: int = 0
    error: str | None = None


class LogBehindCheckpoint(Exception):
    """The checkpoint lies behind the end of the log: the event store was emptied, or an older copy was put back.

    Its read models show what has not happened. Remove the document store's data to have them built anew.
    """


class _CheckpointMoved(Exception):
    """Another runner of this projection was faster: go on from where it is."""


class ProjectionRunner:
    """Runs one projection. Everything that a batch writes is committed together with the checkpoint."""

    def __init__(
        self,
        kind: ProjectionType,
        prefixes: Sequence[str],
        provider: ServiceProvider,
        store: EventStore,
        codec: EventCodec,
        lease: Lease,
    ) -> None:
        self.kind = kind
        self.status = SubscriptionStatus(kind.projection.name)
        self.prefixes = prefixes
        self._provider = provider
        self._store = store
        self._codec = codec
        self._lease = lease
        self._checkpoints: DocumentType[Checkpoint] = DocumentType(Checkpoint)
        self._moved = asyncio.Condition()
        self._subscription: EventSubscription | None = None
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Follows the log until `stop`. Failures are logged and retried with growing pauses, for ever.

        Of several processes, the one with the lease does the work; the others stand by.
        """
        while not self._stopping.is_set():
            try:
                if await self._lease.claim():
                    async with self._renewing():
                        await self._follow()
                else:
                    await self._stand_by()
            except _CheckpointMoved:
                _log.info("checkpoint moved elsewhere", extra={"subscription": self.status.name})
            except tenacity.RetryError:
                break  # told to stop while it failed: the batch is for the next start
            except Exception as error:  # noqa: BLE001 - whatever it is: a subscription goes on, and tells
                self._note(error)
                await self._pause(_RECONNECT_S)
        self.status.state = SubscriptionState.STOPPED
        with suppress(Unavailable):
            await self._lease.release()

    async def stop(self) -> None:
        """Ends `run` after the batch in hand."""
        self._stopping.set()
        if self._subscription is not None:
            await self._subscription.stop()

    async def wait_for(self, position: int, seconds: float) -> None:
        """Returns once `position` is passed, or after so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.status.position < position:
                    if self.status.state is SubscriptionState.STANDBY:  # another process moves the checkpoint
                        await self.look()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_LOOK_S), self._moved:
                            await self._moved.wait_for(lambda: self.status.position >= position)

    async def last_own_position(self, at_most: int) -> int:
        """The position of the last event up to `at_most` that this runner gets to see."""
        return await self._store.last_position(prefixes=self.prefixes, at_most=at_most)

    async def _stand_by(self) -> None:
        self.status.state = SubscriptionState.STANDBY
        await self.look()
        await self._pause(self._lease.seconds / 4)

    @asynccontextmanager
    async def _renewing(self) -> AsyncGenerator[None]:
        async def renew() -> None:
            while True:
                await asyncio.sleep(self._lease.seconds / 3)
                with suppress(Unavailable):
                    if not await self._lease.claim():
                        break
            if self._subscription is not None:  # the lease is lost: whoever has it goes on
                await self._subscription.stop()

        renewal = asyncio.create_task(renew())
        try:
            yield
        finally:
            renewal.cancel()
            await asyncio.gather(renewal, return_exceptions=True)

    async def _follow(self) -> None:
        async for attempt in self._patiently():
            with attempt:
                await self.look()
        if self.status.position > await self._store.head():
            raise LogBehindCheckpoint(self.status.name)
        self._subscription = self._store.subscribe(after=self.status.position, prefixes=self.prefixes)
        try:
            if self._stopping.is_set():  # said before there was a subscription to stop
                return
            async for batch in self._subscription:
                async for attempt in self._patiently():
                    with attempt:
                        await self._process(batch)
        finally:
            await self._subscription.stop()

    async def look(self) -> None:
        """Reads how far the subscription has come, in whichever process it runs."""
        async with self._provider.create_scope() as scope:
            checkpoint = await (await scope.get(Session)).get(self._checkpoints, self.status.name)
        await self._passed(checkpoint.position if checkpoint else BEGINNING)

    async def _process(self, batch: Batch) -> None:
        if batch.events:
            await self._project(batch)
            await self._passed(batch.events[-1].position)
        self.status.error = None
        self.status.state = SubscriptionState.LIVE if batch.caught_up else SubscriptionState.CATCHING_UP

    async def _project(self, batch: Batch) -> None:
        name = self.status.name
        async with self._provider.create_scope() as scope:
            session = await scope.get(Session)
            projection: Projection = await scope.get(self.kind.projection)
            checkpoint = await session.get(self._checkpoints, name) or Checkpoint(name=name)
            if checkpoint.position != self.status.position:
                raise _CheckpointMoved
            unknown = 0
            for stored in batch.events:
                try:
                    envelope = self._codec.open(stored)
                except UnknownEventType:
                    unknown += 1
                    continue
                if handler := self.kind.handlers.get(type(envelope.event)):
                    with use_context(self._context(stored)):
                        await handler(projection, envelope.event, envelope)
            checkpoint.position = batch.events[-1].position
            session.save(self._checkpoints, checkpoint)
            try:
                await session.commit()
            except ConcurrencyError as conflict:
                if conflict.stream == f"{self._checkpoints.collection}/{name}":
                    raise _CheckpointMoved from conflict
                raise
        self.status.unknown_events += unknown

    def _context(self, cause: StoredEvent) -> RequestContext:
        return RequestContext(
            correlation_id=cause.correlation_id,
            causation_id=cause.id,
            traceparent=cause.traceparent,
            actor=f"system:{self.status.name}",
        )

    async def _passed(self, position: int) -> None:
        async with self._moved:
            self.status.position = position
            self._moved.notify_all()

    def _patiently(self) -> tenacity.AsyncRetrying:
        first = _FIRST_PAUSE_S
        return tenacity.AsyncRetrying(
            retry=tenacity.retry_if_not_exception_type((_CheckpointMoved, asyncio.CancelledError)),
            wait=tenacity.wait_exponential_jitter(multiplier=first, max=_LONGEST_PAUSE_S, jitter=first),
            stop=lambda _: self._stopping.is_set(),
            sleep=self._pause,
            before_sleep=self._note_failure,
        )

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    def _note_failure(self, attempt: tenacity.RetryCallState) -> None:
        self._note(attempt.outcome.exception() if attempt.outcome else None)

    def _note(self, error: BaseException | None) -> None:
        self.status.state = SubscriptionState.RETRYING
        self.status.error = type(error).__name__
        _log.error(
            "subscription failed, trying again",
            exc_info=error,
            extra={"subscription": self.status.name, "position": self.status.position},
        )


class Subscriptions(HostedService):
    """All runners of the application."""

    def __init__(self, runners: list[ProjectionRunner]) -> None:
        self._runners = {runner.kind.projection: runner for runner in runners}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def runners(self) -> Sequence[ProjectionRunner]:
        """Each one, with its status."""
        return list(self._runners.values())

    def has(self, projection: type[Projection]) -> bool:
        """Whether the application runs it."""
        return projection in self._runners

    def runner(self, projection: type[Projection]) -> ProjectionRunner:
        """The runner of a projection."""
        return self._runners[projection]

    async def wait_for(self, position: int, seconds: float) -> None:
        """Returns once every projection has passed the last of its events up to `position`.

        Raises:
            TimeoutError: one of them has not, after so many seconds.
        """
        async with asyncio.timeout(seconds):
            for runner in self._runners.values():
                await runner.wait_for(await runner.last_own_position(position), seconds)

    @property
    def alive(self) -> bool:
        """False when a runner ended that should be running: this process is broken."""
        return not any(task.done() for task in self._tasks)

    @override
    async def start(self) -> None:
        self._tasks = [asyncio.create_task(runner.run(), name=runner.status.name) for runner in self._runners.values()]
        for task in self._tasks:
            task.add_done_callback(_report_death)

    @override
    async def stop(self) -> None:
        for runner in self._runners.values():
            await runner.stop()
        _, unfinished = await asyncio.wait(self._tasks, timeout=_STOP_S) if self._tasks else ((), ())
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        self._tasks = []


def _report_death(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.critical("subscription died", exc_info=error, extra={"subscription": task.get_name()})


RunnerFactory = Callable[[ServiceProvider, EventStore, EventCodec, DocumentStore, Clock], ProjectionRunner]


def runner_factory(kind: ProjectionType, prefixes: Sequence[str], lease_seconds: float) -> RunnerFactory:
    """Makes the runner of a projection, for the container."""

    def make(
        provider: ServiceProvider, store: EventStore, codec: EventCodec, documents: DocumentStore, clock: Clock
    ) -> ProjectionRunner:
        name = kind.projection.name
        lease = Lease(documents, clock, name=name, owner=SystemIds().new(), seconds=lease_seconds)
        return ProjectionRunner(kind, prefixes, provider, store, codec, lease)

    return make
