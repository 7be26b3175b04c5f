"""Taking events through a projection: what a batch writes and the checkpoint are one transaction."""

import asyncio
import functools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from neuroglia.core.context import current_context, switch_context, use_context
from neuroglia.core.errors import ConcurrencyError
from neuroglia.documents import DocumentType, Session
from neuroglia.documents.attempts import failure_of
from neuroglia.documents.generations import of_generation
from neuroglia.event_sourcing.handlers import SubscriberType
from neuroglia.event_sourcing.store import BEGINNING, StoredEvent
from neuroglia.event_sourcing.subscriptions.checkpoints import Checkpoint, CheckpointMoved
from neuroglia.event_sourcing.subscriptions.means import Means, context_of
from neuroglia.event_sourcing.subscriptions.parking import BEHIND, Parking
from neuroglia.event_sourcing.subscriptions.patience import Patience, Stopped

_AT_A_STRETCH: Final = 50
"""After so many events the loop's other tasks get their turn: requests are answered during a rebuild."""


class Projector:
    """Builds one generation of a projection's models.

    Attributes:
        position: of the last event that is projected and committed.
        unknown_events: how many had a type that this version of the service does not know.
    """

    def __init__(
        self,
        kind: SubscriberType,
        generation: int,
        models: Sequence[DocumentType[Any]],
        means: Means,
        patience: Patience,
        moved: Callable[[], Awaitable[None]],
    ) -> None:
        """`moved` is called after each commit."""
        self.generation = generation
        self.name = f"{kind.subscriber.name}@{generation}"
        self.types = of_generation(models, generation)
        self.position = BEGINNING
        self.unknown_events = 0
        self.parking = Parking(
            means.documents, means.events, means.clock, self.name, kind.subscriber.attempts, patience
        )
        self._actor = f"system:{kind.subscriber.name}"
        self._kind = kind
        self._moved = moved
        self._means = means
        self._patience = patience
        self._checkpoints: DocumentType[Checkpoint] = DocumentType(Checkpoint)

    async def load(self) -> None:
        """Reads how far this generation has come."""
        checkpoint = await Session(self._means.documents).get(self._checkpoints, self.name)
        self.position = checkpoint.position if checkpoint else BEGINNING

    async def remove(self) -> None:
        """Removes this generation, which nobody reads any more."""
        await self.parking.items.clear()
        session = Session(self._means.documents)
        await session.delete(self._checkpoints, self.name)
        await session.commit()
        await self._means.documents.drop(list(self.types.values()))

    async def take(self, events: Sequence[StoredEvent], *, carefully: bool = False) -> None:
        """Projects events that stand behind the position, all at once; when that fails, or at the caller's wish, one
        by one, so that the one that fails can be parked."""
        new = [stored for stored in events if stored.position > self.position]
        if not new:
            return
        if not carefully:
            try:
                await self._patience.insist(lambda: self._transact(new))
                return
            except (CheckpointMoved, Stopped):
                raise
            except Exception as failure:  # noqa: BLE001 - whatever a handler raises
                self._patience.note(failure)
        passing: list[StoredEvent] = []  # what needs no care, and moves the checkpoint together with the next commit
        for stored in new:
            if not self._concerns(stored) or stored.stream in self.parking.held:
                passing.append(stored)
                continue
            if passing:
                await self._patience.insist(functools.partial(self._transact, passing))
                passing = []
            await self.parking.carefully(stored, lambda stored, error: self._transact([stored], error))
        if passing:
            await self._patience.insist(functools.partial(self._transact, passing))

    async def replay(self) -> None:
        """Projects what was parked, where somebody asked for it."""
        if self.parking.held and await self.parking.requested():
            await self.parking.replay(lambda stored, error: self._transact([stored], error, replayed=True))

    def _concerns(self, stored: StoredEvent) -> bool:
        return self._means.codec.class_of(stored.type) in self._kind.handlers

    async def _transact(
        self, events: Sequence[StoredEvent], error: str | None = None, *, replayed: bool = False
    ) -> None:
        """Projects these events, or parks the one that has failed. A replayed one was passed before: the checkpoint
        stays, and the item that is removed with the effect makes that it takes effect once."""
        parked: set[int] = set()
        unknown = 0
        class_of, open_, held = self._means.codec.class_of, self._means.codec.open, self.parking.held
        async with self._means.provider.create_scope() as scope:
            session = await scope.get(Session)
            session.use({**self._means.generations.live, **self.types})
            checkpoint = await session.get(self._checkpoints, self.name) or Checkpoint(name=self.name)
            if checkpoint.position != self.position:
                raise CheckpointMoved
            if not replayed and events[0].position <= self.position:  # somebody has looked, and a rival was faster
                raise CheckpointMoved
            if replayed and not await self.parking.has(session, events[0]):
                self.parking.settled(events[0], parked=False)
                return  # it has taken effect: the answer was lost, or another runner was faster
            projection = await scope.get(self._kind.subscriber)
            with use_context(current_context()):
                for number, stored in enumerate(events, 1):
                    kind = class_of(stored.type)
                    handler = self._kind.handlers.get(kind) if kind else None
                    unknown += kind is None
                    if handler is None:
                        if replayed:  # it was parked by a version that had one: there is nothing to do any more
                            await self.parking.finish(session, stored)
                        continue
                    if error is not None or (stored.stream in held and not replayed):
                        await self.parking.park(session, stored, error or BEHIND)
                        parked.add(stored.position)
                        continue
                    envelope = open_(stored)
                    switch_context(context_of(self._actor, stored))
                    try:
                        await handler(projection, envelope.event, envelope)
                    except asyncio.CancelledError as cancelled:
                        raise failure_of(cancelled) from None
                    if self.parking.concerned:
                        await self.parking.finish(session, stored)
                    if number % _AT_A_STRETCH == 0:
                        await asyncio.sleep(0)
            if not replayed:
                checkpoint.position = events[-1].position
                session.save(self._checkpoints, checkpoint)
            await self._write(session)
        self.position = checkpoint.position
        self.unknown_events += unknown
        if parked or self.parking.concerned:
            for stored in events:
                self.parking.settled(stored, parked=stored.position in parked)
        await self._moved()

    async def _write(self, session: Session) -> None:
        try:
            await session.commit()
        except ConcurrencyError as conflict:
            if conflict.stream == f"{self._checkpoints.collection}/{self.name}":
                raise CheckpointMoved from conflict
            raise
