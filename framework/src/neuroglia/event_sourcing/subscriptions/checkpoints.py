"""How far each subscription has come, kept in the document store beside what it wrote."""

from pydantic import BaseModel

from neuroglia.core.errors import ConcurrencyError
from neuroglia.documents import Session, document
from neuroglia.event_sourcing.store import BEGINNING


@document("checkpoints", key="name")
class Checkpoint(BaseModel):
    """The position of the last event that a subscription has passed.

    A projection's moves in the transaction that writes its documents, and only from the version that its runner has
    read: of two runners, one writes and the other one's transaction is refused. That of a reaction moves behind
    events whose effects are committed. Each generation of a projection has its own: `AccountProjection@2`.
    """

    name: str
    position: int = BEGINNING


@document("generations", key="name")
class Generation(BaseModel):
    """Which generation of a projection's models is read, and which one is being built beside it, if any."""

    name: str
    live: int = 1
    building: int | None = None


class CheckpointMoved(Exception):
    """Another runner of this subscription was faster: go on from where it is."""


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
    """The checkpoint lies behind the end of the log: the event store was emptied, or an older copy was put back.

    Its read models show what has not happened. Remove the document store's data to have them built anew.
    """
