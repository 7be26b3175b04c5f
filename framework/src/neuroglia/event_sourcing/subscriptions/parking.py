"""Parked sequences: events that could not be handled, and what follows them in their streams.

They are work items: on trial while an event that failed is tried one by one, parked after too many attempts, waiting
once somebody wants them replayed. Each carries the event's place in the log, not its data.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import tenacity

from neuroglia.core.errors import ConcurrencyError, Unavailable
from neuroglia.documents import Session, WorkItem, WorkItems, WorkState
from neuroglia.event_sourcing.codec import UndecodableEvent
from neuroglia.event_sourcing.store import StoredEvent
from neuroglia.event_sourcing.subscriptions.checkpoints import CheckpointMoved
from neuroglia.event_sourcing.subscriptions.lanes import Turns
from neuroglia.event_sourcing.subscriptions.means import Means
from neuroglia.event_sourcing.subscriptions.patience import Patience, Stopped

BEHIND: Final = ""
"""The error of an event that did not fail, but stands behind one that did."""
REQUESTS: Final = (WorkState.DISCARDED, WorkState.WAITING)
"""The states of what was parked and somebody wants done with."""
Settle = Callable[[StoredEvent, str | None], Awaitable[None]]
"""Handles an event and stores its effects; given an error, parks it instead."""


class Parking:
    """The events of one subscription that are on trial, parked, or to be replayed.

    Attributes:
        held: the streams whose events wait behind one that is parked.
        items: all of them.
    """

    def __init__(self, means: Means, queue: str, attempts: int, patience: Patience, workers: int = 1) -> None:
        self.held: set[str] = set()
        self._means, self._queue, self._attempts, self._patience = means, queue, attempts, patience
        self._turns = Turns(workers)
        self._trials: set[str] = set()
        self._died_with: frozenset[str] = frozenset()  # what an earlier runner had in hand when it died
        self.items = WorkItems(means.documents, queue)

    @property
    def concerned(self) -> bool:
        """Whether there is anything in it: mostly there is nothing."""
        return bool(self.held or self._trials)

    async def load(self) -> None:
        """Reads what earlier runners have left."""
        trials = [item async for item in self.items.find(WorkState.RUNNING)]
        self._trials = {item.id for item in trials}
        replayed = [item async for item in self.items.find(WorkState.WAITING)]
        self._died_with = frozenset(item.id for item in (*trials, *replayed) if item.attempts)
        self.held = {item.group for state in (WorkState.PARKED, *REQUESTS) async for item in self.items.find(state)}

    @asynccontextmanager
    async def turn(self, stored: StoredEvent) -> AsyncGenerator[None]:
        """In which an event is handled: beside others, or alone if it was in hand when somebody died. So of those that
        were in hand together, only the one that kills is in hand at the next death, too.

        Raises:
            Stopped: while it waited, the runner was told to stop.
        """
        async with self._turns.turn(alone=self._id(stored) in self._died_with):
            if self._patience.stopping.is_set():
                raise Stopped
            yield

    async def carefully(self, stored: StoredEvent, settle: Settle) -> bool:
        """Handles one event by itself, each attempt counted before it begins. False: after too many it was parked.

        A backing service that does not answer is waited for, and does not count.
        """
        error = "ProcessDied"  # unless this process sees how it fails
        number = 0

        async def attempt() -> None:
            """It counts within its turn: what only waits for one is not in hand."""
            nonlocal number
            async with self.turn(stored):
                number = number or await self._begin(stored)
                if number <= self._attempts:
                    try:
                        await settle(stored, None)
                    except Unavailable:  # who dies while it waits has not died of it
                        number = 0 if await self.items.take_back(self._id(stored)) else number
                        raise

        while number < self._attempts:
            number = 0
            try:
                await self._patience.insist(attempt)
                if number <= self._attempts:
                    return True
            except (CheckpointMoved, Stopped, asyncio.CancelledError) as end:
                # else somebody has cancelled this task: it is as if the process had died
                if number and (isinstance(end, CheckpointMoved) or self._patience.stopping.is_set()):
                    await self.items.take_back(self._id(stored))
                raise
            except Exception as failure:  # noqa: BLE001 - whatever a handler raises
                error = type(failure).__name__
                self._patience.note(failure)
                if isinstance(failure, UndecodableEvent):  # it will not be otherwise the next time
                    break
                if number < self._attempts:
                    await self._patience.pause_after(number)
        await self._patience.insist(lambda: settle(stored, error))
        return False

    async def has(self, session: Session, stored: StoredEvent) -> bool:
        """Whether this event is parked, or to be replayed or discarded."""
        item = await session.get(self.items.kind, self._id(stored))
        return item is not None and item.state is not WorkState.RUNNING

    async def finish(self, session: Session, stored: StoredEvent) -> None:
        """Stages that an event is handled: its item is gone, if it has one."""
        if self._id(stored) in self._trials or stored.stream in self.held:
            await session.delete(self.items.kind, self._id(stored))

    async def park(self, session: Session, stored: StoredEvent, error: str) -> None:
        """Stages that an event waits: it failed, or stands BEHIND one that did."""
        item = await session.get(self.items.kind, self._id(stored)) or self._item(stored)
        item.state, item.error = WorkState.PARKED, error or None
        session.save(self.items.kind, item)

    def settled(self, stored: StoredEvent, *, parked: bool) -> None:
        """Tells that what was staged for an event is committed."""
        self._trials.discard(self._id(stored))
        if parked:
            self.held.add(stored.stream)

    @tenacity.retry(retry=tenacity.retry_if_exception_type(ConcurrencyError))  # the runner was at one of them, too
    async def request(self, wanted: WorkState, stream: str | None = None, *, position: int | None = None) -> None:
        """Wants what is parked to be replayed (WAITING) or DISCARDED: all of it, that of a stream, or one event. The
        runner with the lease does it."""
        items = [item async for item in self.items.find(WorkState.PARKED, stream)]
        # discarded from the last on: once its first is gone, what still is parked of a stream is replayed
        for item in reversed(items) if wanted is WorkState.DISCARDED else items:
            if position in {None, item.number}:
                session = Session(self._means.documents)
                if (parked := await session.get(self.items.kind, item.id)) and parked.state is WorkState.PARKED:
                    parked.state, parked.attempts, parked.error = wanted, 0, None
                    session.save(self.items.kind, parked)
                    await session.commit()

    async def requested(self) -> Sequence[str]:
        """The streams of which somebody wants events replayed or discarded."""
        wanted = [item.group for state in REQUESTS for item in await self.items.page(state)]
        return list(dict.fromkeys(wanted))

    async def replay(self, settle: Settle, stream: str | None = None) -> None:
        """Does what is requested, for one stream or all, in the order of the log. What fails is parked again, with
        what follows it in its stream."""
        async for item in self.items.find(WorkState.DISCARDED, stream):
            await self._remove(item)
        async for item in self.items.find(WorkState.WAITING, stream):
            stored = await self._read(item)
            if stored is None:  # somebody has truncated the stream
                await self._remove(item)
            elif (first := await self.items.first_idle(item.group)) and first.number < item.number:
                await settle(stored, BEHIND)
            elif await self.carefully(stored, settle):
                await self._release(item.group)

    async def _begin(self, stored: StoredEvent) -> int:
        """Counts an attempt. Returns which one it is, or one too many.

        Raises:
            CheckpointMoved: another runner is at this event.
        """
        try:
            number = await self.items.begin(self._item(stored), self._attempts)
        except ConcurrencyError as rival:
            raise CheckpointMoved from rival
        self._trials.add(self._id(stored))
        return number

    async def _remove(self, item: WorkItem) -> None:
        await self.items.remove(item)
        await self._release(item.group)

    async def _release(self, stream: str) -> None:
        """Lets a stream flow again when nothing of it waits any more, and what waits behind nothing any more too."""
        first = await self.items.first_idle(stream)  # on trial is only what a runner has left that lost its lease
        if first is None:
            self.held.discard(stream)
        elif first.state is WorkState.PARKED and first.error is None:
            await self.request(WorkState.WAITING, stream)

    async def _read(self, item: WorkItem) -> StoredEvent | None:
        revision = int(str(item.body["revision"]))
        found = [stored async for stored in self._means.events.read(item.group, after=revision - 1, limit=1)]
        return found[0] if found and found[0].id == item.body["event_id"] else None

    def _id(self, stored: StoredEvent) -> str:
        return f"{self._queue}:{stored.position}"

    def _item(self, stored: StoredEvent) -> WorkItem:
        return WorkItem(
            id=self._id(stored), queue=self._queue, group=stored.stream, number=stored.position,
            state=WorkState.RUNNING, due=self._means.clock.now(),
            body={"revision": stored.revision, "event_id": stored.id, "type": stored.type},
        )  # fmt: skip
