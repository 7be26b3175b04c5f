"""Reactions: events of different streams at the same time, and a checkpoint behind which everything is done."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final, TypeAlias, cast

from typing_extensions import override

from neuroglia.core.context import use_context
from neuroglia.core.ids import derived_id
from neuroglia.dependency_injection import Scope
from neuroglia.documents import Lease, Session
from neuroglia.domain import DomainError, Envelope
from neuroglia.event_sourcing.handlers import SubscriberType
from neuroglia.event_sourcing.reactions import Reaction
from neuroglia.event_sourcing.store import Batch, StoredEvent
from neuroglia.event_sourcing.subscriptions.checkpoints import (
    CHECKPOINTS,
    Checkpoint,
    CheckpointMoved,
    commit_move,
    load_checkpoint,
)
from neuroglia.event_sourcing.subscriptions.fences import Fences
from neuroglia.event_sourcing.subscriptions.lanes import Lanes, LowWaterMark
from neuroglia.event_sourcing.subscriptions.means import Means, context_of
from neuroglia.event_sourcing.subscriptions.parking import BEHIND, Parking
from neuroglia.event_sourcing.subscriptions.patience import Stopped
from neuroglia.event_sourcing.subscriptions.runner import SubscriptionRunner

_IN_HAND: Final = 500
_WINDOW: Final = 5_000
"""No event is begun so far ahead of the mark: it bounds what comes twice after a death, and is tried with care then."""
_SAVE_S: Final = 0.05
"""The checkpoint is saved at most so often: what it lags behind is only what comes twice after a crash."""
Work: TypeAlias = Callable[[], Awaitable[None]]
_log: Final = logging.getLogger("neuroglia.subscriptions")


class ReactionRunner(SubscriptionRunner):
    """Runs one reaction: N workers keyed by stream. Only the contiguous low-water mark is saved."""

    def __init__(self, kind: SubscriberType, prefixes: Sequence[str], means: Means, lease: Lease) -> None:
        super().__init__(kind, prefixes, means, lease)
        assert issubclass(kind.subscriber, Reaction)
        self._workers = kind.subscriber.workers
        self.parking = Parking(means, self.status.name, kind.subscriber.attempts, self._patience, self._workers)
        self._fences = Fences(means.documents, self.status.name)
        self._checkpoint = Checkpoint(name=self.status.name)
        self._progress = asyncio.Event()
        self._lanes: Lanes[Work] | None = None
        self._in_lanes: set[str] = set()  # beside events: streams whose replay is there, and deadlines
        self._suspects = 0  # so many of the next events may be why somebody has died

    @override
    async def look(self) -> None:
        self._checkpoint = await load_checkpoint(Session(self._means.documents), self.status.name)
        await self._passed(self._checkpoint.position)

    @override
    async def _resume(self) -> None:
        if self._lease.taken_over:
            self._suspects = _WINDOW
        self._done = await self._fences.take()  # first: then nobody else moves on what is read
        await self.look()
        await self._checkpoint.verify(self._means.events)
        self._mark = LowWaterMark(self._checkpoint.position, self._checkpoint.event_id)
        await self.parking.load()
        self.status.parked = len(self.parking.held)

    @override
    async def _take(self, batch: Batch) -> None:
        assert self._lanes is not None
        carefully, self._suspects = self._suspects > 0, max(0, self._suspects - len(batch.events))
        for stored in (one for one in batch.events if one.position > self._mark.last):  # else in hand, or done
            while len(self._mark) >= _WINDOW and not self._patience.stopping.is_set():
                with suppress(Stopped):  # what is in hand is finished
                    await self._patience.pause(_SAVE_S)
            self._mark.begin(stored.position, stored.id)
            kind = self._means.codec.class_of(stored.type)
            if kind in self.kind.handlers and stored.position not in self._done:
                await self._lanes.put(stored.stream, partial(self._handle, stored, carefully=carefully))
            else:
                self.status.unknown_events += kind is None
                self._finished(stored)

    @override
    async def _attend(self) -> None:
        if self._lanes is not None and self.parking.held:
            for stream in await self.parking.requested():
                if stream not in self._in_lanes:  # one that takes long would fill the lanes
                    self._in_lanes.add(stream)
                    await self._lanes.put(stream, partial(self._replay, stream))

    @override
    @asynccontextmanager
    async def _working(self) -> AsyncGenerator[None]:
        try:
            async with asyncio.TaskGroup() as saving:
                saver = saving.create_task(self._save_for_ever())
                async with asyncio.TaskGroup() as working:  # left when all in hand is done
                    self._lanes = Lanes(working, self._do, workers=self._workers, waiting=_IN_HAND)
                    self._in_lanes = set()
                    yield
                saver.cancel()
        except BaseExceptionGroup as several:
            raise _first(several) from None
        finally:
            self._lanes = None
        await self._save()

    async def _do(self, work: Work) -> None:
        if self._patience.stopping.is_set():  # it is for the next start, and so is what follows it in its lane
            return
        with suppress(Stopped):
            await work()
            self.status.parked = len(self.parking.held)

    async def _replay(self, stream: str) -> None:
        try:
            await self._patience.insist(lambda: self.parking.replay(self._settle, stream))
            self._patience.recovered()
        finally:
            self._in_lanes.discard(stream)

    async def _handle(self, stored: StoredEvent, *, carefully: bool) -> None:
        if stored.stream in self.parking.held:
            # what is there already comes again
            if not await self._patience.insist(partial(self.parking.has, Session(self._means.documents), stored)):
                await self._patience.insist(lambda: self._settle(stored, BEHIND))
        elif carefully or not await self._patience.try_once(lambda: self._settle_beside_others(stored)):
            await self.parking.carefully(stored, self._settle)
        self._patience.recovered()
        self._finished(stored)

    async def _settle_beside_others(self, stored: StoredEvent) -> None:
        async with self.parking.turn(stored):
            await self._settle(stored, None)

    async def _settle(self, stored: StoredEvent, error: str | None) -> None:
        async with self._means.provider.create_scope() as scope:
            session = await scope.get(Session)
            if error is not None:
                await self.parking.park(session, stored, error)
            elif not await self._react(scope, stored):
                session = Session(self._means.documents)  # what was staged before the refusal is void
            if error is None:
                await self.parking.finish(session, stored)
            await self._fences.commit(session, stored, checkpoint=self.status.position, parked=error is not None)
        self.parking.settled(stored, parked=error is not None)

    async def _react(self, scope: Scope, stored: StoredEvent) -> bool:
        """Lets the reaction handle the event. False: the domain refused, which is an answer."""
        envelope = self._means.codec.open(stored)
        command_id = derived_id(self.status.name, stored.id)
        with use_context(context_of(self.status.name, stored, command_id)):
            try:
                with self._means.handling(self.status.name, stored, command_id):
                    await self._handle_in(scope, envelope)
            except DomainError as refusal:
                _log.info("reaction refused", extra={"subscription": self.status.name, "outcome": refusal.code})
                return False
        return True

    async def _handle_in(self, scope: Scope, envelope: Envelope) -> None:
        reaction = await scope.get(self.kind.subscriber)
        await self.kind.handlers[type(envelope.event)](reaction, envelope.event, envelope)

    def _finished(self, stored: StoredEvent) -> None:
        self._mark.finish(stored.position)
        self._progress.set()

    async def _save_for_ever(self) -> None:
        with suppress(Stopped):
            while True:
                await self._progress.wait()
                self._progress.clear()
                await self._patience.insist(self._save)
                await self._patience.pause(_SAVE_S)

    async def _save(self) -> None:
        position, event_id = self._mark.position, self._mark.event_id
        if position == self.status.position:
            return
        session = Session(self._means.documents)
        checkpoint = await load_checkpoint(session, self.status.name)
        if checkpoint.position != self.status.position or checkpoint.position > position:
            raise CheckpointMoved
        checkpoint.position, checkpoint.event_id = position, event_id
        session.save(CHECKPOINTS, checkpoint)
        await commit_move(session, f"{CHECKPOINTS.collection}/{self.status.name}")
        await self._passed(position)


def _first(error: BaseException) -> BaseException:
    """Why a group of tasks ended."""
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error
