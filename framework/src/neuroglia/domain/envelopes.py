"""A recorded event together with what the store knows of it."""

from datetime import datetime
from typing import NamedTuple

from neuroglia.domain.events import DomainEvent


class Envelope(NamedTuple):
    """A domain event as it stands in the log. (A tuple, for one is made of every event that is handled.)

    Attributes:
        id: the event's own id (UUID as text), the same on every delivery.
        stream: the stream's name, `<category>-<aggregate id>`.
        revision: the event's place in its stream, from 0.
        position: the event's place in the whole log; grows, with holes. Events that were just saved carry that of
            the last one among them: it is all that a store tells.
        recorded_at: when it was appended (UTC); never decreases within a stream.
        correlation_id: what belongs to one request of the outside, across services.
        causation_id: the id of the message that caused this event.
        actor: who asked for it.
    """

    event: DomainEvent
    id: str
    stream: str
    revision: int
    position: int
    recorded_at: datetime
    correlation_id: str
    causation_id: str | None
    actor: str

    @property
    def aggregate_id(self) -> str:
        """The id of the aggregate that the event belongs to."""
        return self.stream.partition("-")[2]
