"""The ports through which handlers reach aggregates, however these are stored."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime
from typing import Generic, TypeVar

from neuroglia.domain.envelopes import Envelope

A = TypeVar("A")


class Repository(ABC, Generic[A]):
    """A collection of aggregates by id. A handler cannot tell whether they are event-sourced or state-based."""

    @abstractmethod
    async def get(self, id: str) -> A:
        """The aggregate with this id.

        Raises:
            NotFoundError: there is none. A store that is down raises something else.
        """

    @abstractmethod
    async def save(self, aggregate: A) -> Sequence[Envelope]:
        """Stores what changed and returns the events that this recorded, in order.

        Raises:
            ConcurrencyError: somebody else changed the aggregate since it was read; nothing was stored.
        """


class History(ABC, Generic[A]):
    """What aggregates were like in the past. Only event-sourced ones remember."""

    @abstractmethod
    async def as_of(self, id: str, moment: datetime) -> A:
        """The aggregate from its longest prefix of events that was recorded by this moment. It can only be read.

        Raises:
            NotFoundError: nothing had happened to it yet.
        """
