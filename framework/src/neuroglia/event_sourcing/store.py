"""The event store port: named streams of immutable events, and the one log that they form together."""

import sys
from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from neuroglia.core.errors import ConcurrencyError
from neuroglia.core.lifecycle import BackingService

NO_STREAM: Final = -1
"""The expected revision of a stream that must not exist yet."""
BEGINNING: Final = -1
"""The position before the first event of the log."""
PAGE: Final = 500
"""So many events of the log are read at once."""
_STREAM_PAGE: Final = 2_000
"""And so many of a stream, which is mostly read to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMetadata:
    """What is recorded with every event beside its data. See `neuroglia.domain.Envelope`."""

    recorded_at: datetime
    correlation_id: str
    causation_id: str | None
    actor: str
    traceparent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """An event to append. `id` (UUID as text) is made once per decision, so that a repeated append is known."""

    id: str
    type: str
    data: bytes
    metadata: EventMetadata


class StoredEvent(NamedTuple):
    """An event as the store holds it, and what was recorded with it (see `EventMetadata`).

    `data` is JSON; `type` names it and is no class. A tuple, for one is made of every row that is read.
    """

    position: int
    stream: str
    revision: int
    id: str
    type: str
    data: bytes
    recorded_at: datetime
    correlation_id: str
    causation_id: str | None
    actor: str
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Appended:
    """Where the last event of an append stands."""

    revision: int
    position: int


@dataclass(frozen=True, slots=True)
class Batch:
    """The next events of the log or a stream, in its order. `caught_up`: these were the last ones for now."""

    events: Sequence[StoredEvent]
    caught_up: bool


def repeated(
    found: Sequence[StoredEvent], events: Sequence[NewEvent], stream: str, expected: int, actual: int
) -> Appended:
    """For adapters: the answer of the first time, if what is found behind `expected` are these very events.

    Raises:
        ConcurrencyError: it is something else.
    """
    if not events or [event.id for event in found] != [event.id for event in events]:
        raise ConcurrencyError(stream, expected, actual)
    return Appended(found[-1].revision, found[-1].position)


class EventSubscription(AsyncIterator[Batch]):
    """An endless iteration over a log. It reconnects on its own, and ends after `stop`."""

    @abstractmethod
    async def stop(self) -> None:
        """Ends the iteration, from any task."""


class EventStore(BackingService):
    """Durable streams of events. Stream names are `<category>-<id>`; revisions count from 0 in each stream."""

    name = "event_store"
    reached: int = BEGINNING
    """A position to which the log is known to go. It may go further; it gets no shorter while it is open."""

    @abstractmethod
    async def append(self, stream: str, events: Sequence[NewEvent], expected: int) -> Appended:
        """Writes events at the end of a stream, all or none, durably.

        `expected` is the revision of the stream's last event, or NO_STREAM. The same events (by id) again, at the
        place where they already stand, succeed and change nothing.

        Raises:
            ConcurrencyError: the stream is at another revision.
            Unavailable: the store does not work; nothing is known to be written.
        """

    async def read(self, stream: str, *, after: int = -1, limit: int | None = None) -> AsyncIterator[StoredEvent]:
        """The events of a stream behind revision `after`, oldest first. Nothing for an unknown stream."""
        left = sys.maxsize if limit is None else limit
        while left > 0:
            page = await self.read_page(stream, after=after, limit=min(_STREAM_PAGE, left))
            for event in page.events:
                yield event
            if page.caught_up:
                return
            after, left = page.events[-1].revision, left - len(page.events)

    @abstractmethod
    async def read_page(self, stream: str, *, after: int, limit: int) -> Batch:
        """The next events of a stream behind revision `after`: at most `limit`, and some unless it has ended."""

    @abstractmethod
    async def read_all(self, *, after: int = BEGINNING, prefixes: Sequence[str] = (), limit: int = PAGE) -> Batch:
        """The events of the log behind position `after` whose stream starts with one of `prefixes` (none: all)."""

    @abstractmethod
    def subscribe(self, *, after: int, prefixes: Sequence[str]) -> EventSubscription:
        """Follows the log from behind position `after`, for ever."""

    async def at(self, position: int) -> StoredEvent | None:
        """The event at a position of the log. None: there is none any more, or the log does not go so far."""
        events = (await self.read_all(after=position - 1, limit=1)).events
        return events[0] if events and events[0].position == position else None

    async def head(self) -> int:
        """The position of the last event of the log, BEGINNING when it is empty."""
        self.reached = await self.last_position(prefixes=(), at_most=2**63 - 1)
        return self.reached

    @abstractmethod
    async def last_position(self, *, prefixes: Sequence[str], at_most: int) -> int:
        """The position of the last event of these streams up to `at_most`, BEGINNING when there is none."""
