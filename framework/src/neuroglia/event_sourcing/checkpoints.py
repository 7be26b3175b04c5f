"""How far each subscription has come, kept in the document store beside what it wrote."""

from pydantic import BaseModel

from neuroglia.documents import document
from neuroglia.event_sourcing.store import BEGINNING


@document("checkpoints", key="name")
class Checkpoint(BaseModel):
    """The position of the last event that a subscription has passed.

    It moves in the transaction that writes the subscription's documents, and only from the version that its
    runner has read: of two runners, one writes and the other one's transaction is refused.
    """

    name: str
    position: int = BEGINNING
