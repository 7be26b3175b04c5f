"""Taking events through a projection: what a batch writes and the checkpoint are one transaction."""

import asyncio
import functools
import itertools
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from neuroglia.core.context import current_context, use_context
from neuroglia.core.errors import Unavailable
from neuroglia.documents import DocumentType, Session
from neuroglia.documents.generations import of_generation
from neuroglia.event_sourcing.handlers import SubscriberType
from neuroglia.event_sourcing.store import StoredEvent
from neuroglia.event_sourcing.subscriptions.checkpoints import (
    CHECKPOINTS,
    Checkpoint,
    CheckpointMoved,
    commit_move,
    load_checkpoint,
)
from neuroglia.event_sourcing.subscriptions.means import Means
from neuroglia.event_sourcing.subscriptions.parking import BEHIND, Parking
from neuroglia.event_sourcing.subscriptions.patience import Patience

_AT_A_STRETCH: Final = 50
"""After so many events the loop's other tasks get their turn: requests are answered during a rebuild."""
Moved = Callable[[], Awaitable[None]]


class Projector:
    """Builds one generation of a projection's models.

    Attributes:
        models: what the projection writes, as it is declared.
        types: where this generation of it stands.
        checkpoint: behind the last event that is projected and committed.
        unknown_events: how many had a type that this version of the service does not know.
    """

    def __init__(self, kind: SubscriberType, generation: int, means: Means, patience: Patience, moved: Moved) -> None:
        """`moved` is called after each commit."""
        self.generation = generation
        self.name = f"{kind.subscriber.name}@{generation}"
        self.models: list[DocumentType[Any]] = [
            means.provider.get_now(DocumentType[model])  # type: ignore[valid-type]
            for model in sorted(kind.models, key=lambda model: model.__name__)
        ]
        self.types = of_generation(self.models, generation)
        self.checkpoint = Checkpoint(name=self.name)
        self.unknown_events = 0
        self._at_once: int | None = None  # so many events has the store managed in one transaction
        self.parking = Parking(means, self.name, kind.subscriber.attempts, patience)
        self._kind, self._means, self._patience, self._moved = kind, means, patience, moved

    async def load(self) -> None:
        """Reads how far this generation has come."""
        self.checkpoint = await load_checkpoint(Session(self._means.documents), self.name)

    async def remove(self) -> None:
        """Removes this generation, which nobody reads any more."""
        await self.parking.items.clear()
        session = Session(self._means.documents)
        await session.delete(CHECKPOINTS, self.name)
        await session.commit()
        await self._means.documents.drop(list(self.types.values()))

    async def suspect(self, in_hand: int, until: int) -> None:
        """Somebody has died, and one of the next events may be why: `in_hand` are taken at once, and `until` is the
        position of the last one there is. From death to death they are taken in smaller groups, until the one that
        kills is by itself and its attempts are counted."""
        session = Session(self._means.documents)
        checkpoint = await load_checkpoint(session, self.name)
        checkpoint.suspect(in_hand, until)
        session.save(CHECKPOINTS, checkpoint)
        await commit_move(session, f"{CHECKPOINTS.collection}/{self.name}")
        self.checkpoint = checkpoint

    async def take(self, events: Sequence[StoredEvent]) -> None:
        """Projects events that stand behind the position, all at once, or suspects in groups. When that fails, those
        of the group are taken one by one, so that the one that fails can be parked."""
        for group in self.checkpoint.groups(self._ahead(events)):
            alone = len(group) == 1 and self.checkpoint.suspects > 0
            if alone or not await self._patience.try_once(functools.partial(self._together, group)):
                await self._one_by_one(self._ahead(group))

    def _ahead(self, events: Sequence[StoredEvent]) -> Sequence[StoredEvent]:
        return [stored for stored in events if stored.position > self.checkpoint.position]

    async def _together(self, events: Sequence[StoredEvent]) -> None:
        """Projects events at once. What is more than the store does in time would fail for ever: where it does not
        answer, the next try is half as large, and those after it grow again."""
        while some := self._ahead(events)[: self._at_once]:
            try:
                await self._transact(some)
            except Unavailable:
                self._at_once = max(1, len(some) // 2)
                raise
            if self._at_once and self._at_once <= len(some):  # fewer tell nothing of what the store manages
                self._at_once += self._at_once // 8 + 1

    async def _one_by_one(self, events: Sequence[StoredEvent]) -> None:
        for passes, some in itertools.groupby(events, self._passes):  # asks of each when its turn comes
            if passes:
                await self._patience.insist(functools.partial(self._together, list(some)))
            else:
                for stored in some:
                    await self.parking.carefully(stored, lambda stored, error: self._transact([stored], error))

    async def replay(self) -> None:
        """Projects what was parked, where somebody asked for it."""
        if self.parking.held and await self.parking.requested():
            await self.parking.replay(lambda stored, error: self._transact([stored], error, replayed=True))

    def _passes(self, stored: StoredEvent) -> bool:
        """Whether an event needs no care: nobody handles it, or it is parked behind another one."""
        kind = self._means.codec.class_of(stored.type)
        return kind not in self._kind.handlers or stored.stream in self.parking.held

    async def _transact(
        self, events: Sequence[StoredEvent], error: str | None = None, *, replayed: bool = False
    ) -> None:
        """Projects these events, or parks the one that has failed. A replayed one was passed before: the checkpoint
        stays, and the item that is removed with the effect makes that it takes effect once."""
        parked: set[int] = set()
        unknown = 0
        async with self._means.provider.create_scope() as scope:
            session = await scope.get(Session)
            session.use({**self._means.generations.live, **self.types})
            checkpoint, known = await load_checkpoint(session, self.name), self.checkpoint.position
            passed = not replayed and events[0].position <= known  # somebody has looked, and a rival was faster
            if passed or checkpoint.position != known:
                raise CheckpointMoved
            if replayed and not await self.parking.has(session, events[0]):
                self.parking.settled(events[0], parked=False)
                return  # it has taken effect: the answer was lost, or another runner was faster
            projection = await scope.get(self._kind.subscriber)
            with use_context(current_context()):
                for number, stored in enumerate(events, 1):
                    kind = self._means.codec.class_of(stored.type)
                    handler = self._kind.handlers.get(kind) if kind else None
                    unknown += kind is None
                    if handler and (error is not None or (stored.stream in self.parking.held and not replayed)):
                        await self.parking.park(session, stored, error or BEHIND)
                        parked.add(stored.position)
                        continue
                    if handler:
                        envelope = self._means.codec.open(stored)
                        with self._means.handling(self._kind.subscriber.name, stored):
                            await handler(projection, envelope.event, envelope)
                    if self.parking.concerned:  # even without a handler: an earlier version may have had one
                        await self.parking.finish(session, stored)
                    if number % _AT_A_STRETCH == 0:
                        await asyncio.sleep(0)
            if not replayed:
                checkpoint.pass_by(events)
                session.save(CHECKPOINTS, checkpoint)
            await commit_move(session, f"{CHECKPOINTS.collection}/{self.name}")
        self.checkpoint = checkpoint
        self.unknown_events += unknown
        if parked or self.parking.concerned:
            for stored in events:
                self.parking.settled(stored, parked=stored.position in parked)
        await self._moved()
