"""The service's events: page by page, and as they happen."""

from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydantic import BaseModel, JsonValue
from pydantic_core import from_json

from neuroglia.core import Page, Unavailable
from neuroglia.core.lifecycle import Stopping
from neuroglia.documents import Documents, DocumentType, Session, eq, gt
from neuroglia.event_sourcing import BEGINNING, StoredEvent, Subscriptions
from neuroglia.event_sourcing.subscriptions import Means
from neuroglia.operations.index import EventIndex, IndexedEvent

LAST: Final = 2**63 - 2
"""No position is beyond this."""


class EventDto(BaseModel):
    """An event as it is stored. `data` is text where it is no JSON, or such as no answer can hold."""

    position: int
    stream: str
    revision: int
    id: str
    type: str
    recorded_at: datetime
    correlation_id: str
    causation_id: str | None
    actor: str
    data: JsonValue


@dataclass(frozen=True, slots=True)
class EventLog:
    """The service's own events, oldest first. Of what else stands in the same log nothing is shown."""

    means: Means
    subscriptions: Subscriptions
    index: DocumentType[IndexedEvent]
    stopping: Stopping

    async def page(self, after: int, limit: int) -> Page[EventDto]:
        """The events behind a position of the log."""
        batch = await self.means.events.read_all(after=await self.at(after), prefixes=self._prefixes, limit=limit + 1)
        shown = [_show(stored) for stored in batch.events[:limit]]
        return Page(items=shown, next_cursor=str(shown[-1].position) if len(batch.events) > limit else None)

    async def of_stream(self, stream: str, after: int, limit: int) -> Page[EventDto]:
        """The events of a stream behind a revision of it."""
        if not stream.startswith(self._prefixes):
            return Page(items=[])
        found = [_show(stored) async for stored in self.means.events.read(stream, after=after, limit=limit + 1)]
        return Page(items=found[:limit], next_cursor=str(found[limit - 1].revision) if len(found) > limit else None)

    async def of_correlation(self, id: str, after: int, limit: int) -> Page[EventDto]:
        """The events that belong to one request of the outside, behind a position of the log."""
        places = Documents(self.index, Session(self.means.documents, self.means.generations))
        found = await places.find(eq("correlation_id", id), gt("position", after), order="position", limit=limit)
        shown = [one for at in found.items for one in (await self.of_stream(at.stream, at.revision - 1, 1)).items]
        return Page(items=shown, next_cursor=str(found.items[-1].position) if found.next_cursor else None)

    async def follow(self, place: int, prefix: str) -> AsyncIterator[EventDto]:
        """The events behind a place, those that come included: until the process is told to end."""
        subscription = self.means.events.subscribe(after=place, prefixes=self._prefixes)
        async with self.stopping.ending(subscription.stop):
            async for batch in subscription:
                for stored in batch.events:
                    if stored.stream.startswith(prefix):
                        yield _show(stored)

    @property
    def _prefixes(self) -> tuple[str, ...]:
        return tuple(self.subscriptions.runners[EventIndex].prefixes)

    async def at(self, after: int) -> int:
        """Where the last own event up to a position stands: a store can go on only from behind an event. Where a page
        has ended, the index knows one; else it may have to be looked for from the end of the log."""
        places = Documents(self.index, Session(self.means.documents, self.means.generations))
        with suppress(Unavailable):  # the log can be read while the index cannot
            if after == BEGINNING or await places.lookup(str(after)):
                return after
        return await self.means.events.last_position(prefixes=self._prefixes, at_most=after)


def _show(stored: StoredEvent) -> EventDto:
    try:
        data = from_json(stored.data, allow_inf_nan=False)  # refuses half a surrogate pair and 200 levels, too
    except ValueError:  # somebody else has written it
        data = stored.data.decode(errors="replace")
    return EventDto.model_validate({**stored._asdict(), "data": data})
