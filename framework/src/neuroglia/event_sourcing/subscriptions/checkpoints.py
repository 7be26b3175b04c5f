"""How far each subscription has come, kept in the document store beside what it wrote."""

from typing import Final

from pydantic import BaseModel

from neuroglia.core.errors import ConcurrencyError
from neuroglia.documents import DocumentType, Session, document
from neuroglia.event_sourcing.store import BEGINNING, EventStore


@document("checkpoints", key="name")
class Checkpoint(BaseModel):
    """The last event that a subscription has passed: its position, and its id, by which it is known again. (A log that
    lost its end gives the same positions to others. Checkpoints of older versions have no id.)

    A projection's moves in the transaction that writes its documents, and only from the version that its runner has
    read: of two runners, one writes and the other one's transaction is refused. That of a reaction moves behind
    events whose effects are committed. Each generation of a projection has its own: `AccountProjection@2`.
    """

    name: str
    position: int = BEGINNING
    event_id: str | None = None

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

    Its read models show what has not happened. Remove the document store's data to have them built anew.
    """
