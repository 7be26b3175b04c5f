"""How far each subscription has come, kept in the document store beside what it wrote."""

from collections.abc import Iterator, Sequence
from typing import Final

from pydantic import BaseModel

from neuroglia.core.errors import ConcurrencyError
from neuroglia.documents import DocumentType, Session, document
from neuroglia.event_sourcing.store import BEGINNING, EventStore, StoredEvent

_SPLIT: Final = 8
"""Who dies of an event dies a few times more until it is found; who was killed from outside is soon quick again."""


@document("checkpoints", key="name")
class Checkpoint(BaseModel):
    """The last event that a subscription has passed: its position, and its id, by which it is known again. (A log that
    lost its end gives the same positions to others. Checkpoints of older versions have no id.)

    A projection's moves in the transaction that writes its documents, and only from the version that its runner has
    read: of two runners, one writes and the other one's transaction is refused. That of a reaction moves behind
    events whose effects are committed. Each generation of a projection has its own: `AccountProjection@2`.

    `suspects`: so many of the next events, up to the position `until`, may be why a runner has died. A projection takes
    at most `group` of them at once.
    """

    name: str
    position: int = BEGINNING
    event_id: str | None = None
    suspects: int = 0
    until: int = BEGINNING
    group: int = 1

    def suspect(self, in_hand: int, until: int) -> None:
        """Somebody has died with so many of the next events in hand, or with a group of suspects. What stands behind
        `until` was not there yet."""
        last = self.group if self.suspects else in_hand
        self.suspects = last if self.position < until else 0
        self.until, self.group = until, max(1, last // _SPLIT)

    def groups(self, events: Sequence[StoredEvent]) -> Iterator[Sequence[StoredEvent]]:
        """The next events, as they are to be taken: what is beyond suspicion, all at once."""
        suspects = sum(event.position <= self.until for event in events[: self.suspects])
        size = max(1, min(self.group, suspects // _SPLIT))
        for begin in range(0, suspects, size):
            yield events[begin : min(begin + size, suspects)]
        if rest := events[suspects:]:
            yield rest

    def pass_by(self, events: Sequence[StoredEvent]) -> None:
        """Moves it behind these."""
        self.position, self.event_id = events[-1].position, events[-1].id
        self.suspects = max(0, self.suspects - len(events)) if self.position < self.until else 0

    async def verify(self, log: EventStore) -> None:
        """Makes sure that it is of this log.

        Raises:
            LogBehindCheckpoint: it is not.
        """
        reached = self.position <= await log.head()
        found = await log.at(self.position) if reached and self.event_id is not None else None
        if not reached or (found is not None and found.id != self.event_id):
            raise LogBehindCheckpoint(self.name)


@document("generations", key="name")
class Generation(BaseModel):
    """Which generation of a projection's models is read, and which one is being built beside it, if any."""

    name: str
    live: int = 1
    building: int | None = None


CHECKPOINTS: Final = DocumentType(Checkpoint)
GENERATIONS: Final = DocumentType(Generation)


class CheckpointMoved(Exception):
    """Another runner of this subscription was faster: go on from where it is."""


async def load_checkpoint(session: Session, name: str) -> Checkpoint:
    """How far a subscription has come."""
    return await session.get(CHECKPOINTS, name) or Checkpoint(name=name)


async def commit_move(session: Session, row: str) -> None:
    """Commits a session in which a row (`collection/key`) moves.

    Raises:
        CheckpointMoved: somebody else has moved it.
    """
    try:
        await session.commit()
    except ConcurrencyError as conflict:
        if conflict.stream == row:
            raise CheckpointMoved from conflict
        raise


class LogBehindCheckpoint(Exception):
    """The log does not have the event that the checkpoint stands at: the event store was emptied, has lost its last
    events, or an older copy was put back.

    Its read models show what has not happened. To have them built anew, stop the service and remove from the document
    store the checkpoints, fences, generations, read models and parked events, and nothing else: without the inbox and
    the idempotency records, what comes again takes effect again. See the README, "When the log has lost events".
    """
