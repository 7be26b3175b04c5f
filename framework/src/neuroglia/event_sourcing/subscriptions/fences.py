"""Fences: what a reaction writes into documents is written once, and by the runner that has the lease.

A runner that was paused past its lease may wake in the midst of a handler, and one that died has done more than its
checkpoint tells. So each transaction of a runner also moves a row, from the version that it knows. Who takes over
moves all of them first: the one that wakes then writes nothing. And they tell which events are done.
"""

import asyncio
import zlib
from collections.abc import Set as AbstractSet
from typing import Final

from pydantic import BaseModel

from neuroglia.core.ids import SystemIds
from neuroglia.documents import DocumentStore, DocumentType, Session, document
from neuroglia.event_sourcing.store import StoredEvent
from neuroglia.event_sourcing.subscriptions.checkpoints import CheckpointMoved, commit_move

_ROWS: Final = 16
"""Streams share them: transactions of different streams seldom wait for each other."""


@document("fences", key="name")
class Fence(BaseModel):
    """A row that moves with each transaction. `done`: the positions of the events behind the checkpoint that are done
    with."""

    name: str
    owner: str = ""
    done: list[int] = []


_FENCES: Final = DocumentType(Fence)


class Fences:
    """The rows of one subscription."""

    def __init__(self, store: DocumentStore, subscription: str) -> None:
        self._names = [f"{subscription}#{number}" for number in range(_ROWS)]
        self._locks = [asyncio.Lock() for _ in self._names]
        self._store = store
        self._rows = Session(store)
        self._owner = ""

    async def take(self) -> AbstractSet[int]:
        """From now on, who had them before writes nothing. Returns the positions of the events that are done with.

        Raises:
            ConcurrencyError: somebody is faster.
        """
        self._rows, self._owner = Session(self._store), SystemIds().new()
        fences = [await self._rows.get(_FENCES, name) or Fence(name=name) for name in self._names]
        for fence in fences:
            fence.owner = self._owner
            self._rows.save(_FENCES, fence)
        await self._rows.commit()
        return {position for fence in fences for position in fence.done}

    async def commit(self, session: Session, stored: StoredEvent, *, checkpoint: int, parked: bool) -> None:
        """Commits what is staged for an event, unless that is done already. `checkpoint`: what lies before it is known
        to be done; `parked`: the event waits.

        Raises:
            CheckpointMoved: another runner has taken over, and nothing is written.
        """
        if not session.is_changed:
            return
        number = zlib.crc32(stored.stream.encode()) % _ROWS
        async with self._locks[number]:
            fence = await self._rows.get(_FENCES, self._names[number])
            if fence is None or fence.owner != self._owner:
                raise CheckpointMoved
            if stored.position in fence.done and not parked:  # the answer was lost
                return
            fence.done = [position for position in fence.done if position > checkpoint]
            fence.done += [] if parked else [stored.position]
            self._rows.save(_FENCES, fence)
            session.include(self._rows, _FENCES, fence.name)
            self._rows.forget(_FENCES, fence.name)  # if this fails, nobody knows at which version it is
            await commit_move(session, f"{_FENCES.collection}/{fence.name}")
            self._rows.include(session, _FENCES, fence.name)
