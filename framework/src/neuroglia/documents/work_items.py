"""Work that is durably noted: claimed, finished, handed back and taken over by compare-and-set."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, JsonValue

from neuroglia.core.clock import Clock
from neuroglia.core.errors import ConcurrencyError, Unavailable
from neuroglia.documents.conditions import Condition, eq, gt, le
from neuroglia.documents.session import Session, sort_key
from neuroglia.documents.store import DocumentStore, Find
from neuroglia.documents.types import DocumentType, document

_PAGE: Final = 200
_PAGES: Final = 10
_BEFORE_ALL: Final = -1


class WorkState(StrEnum):
    """Where a work item is: waiting ⇄ running, parked when somebody has to look at it, done when it is kept."""

    WAITING = "waiting"
    RUNNING = "running"
    PARKED = "parked"
    DISCARDED = "discarded"
    DONE = "done"


@document("work_items", indexes=[("queue", "state", "due"), ("queue", "state", "number"), ("queue", "group", "number")])
class WorkItem(BaseModel):
    """One piece of work.

    Attributes:
        id: unique over all queues; adding the same id twice is a conflict.
        queue: whose work it is.
        group: what has to be done in order, by `number`; "" when order does not matter.
        due: when it waits: not to be begun before. When it runs: its owner has it until then; afterwards
            the owner counts as dead. When it is done and kept for a while: it may be removed from then on.
        attempts: how many were begun. The count is stored before an attempt runs.
        waits: how many of them ended because a backing service did not answer. These do not count.
        error: the type of the last failure; of what is done, the code of the refusal that was the answer.
        body: what the work needs to know, as JSON.
    """

    id: str
    queue: str
    group: str = ""
    number: int = 0
    state: WorkState = WorkState.WAITING
    due: datetime
    owner: str = ""
    attempts: int = 0
    waits: int = 0
    error: str | None = None
    body: Mapping[str, JsonValue] = {}


WORK_ITEMS: Final = DocumentType(WorkItem)


class WorkItems:
    """All items of one queue, whoever has them, in the order of their numbers."""

    def __init__(self, store: DocumentStore, queue: str) -> None:
        self.kind = WORK_ITEMS
        self._store = store
        self._queue = queue

    async def find(self, state: WorkState, group: str | None = None) -> AsyncIterator[WorkItem]:
        """All in a state, of a group if one is named. Each may change while one looks at it."""
        part = eq("state", state) if group is None else eq("group", group)
        async for page in _pages(self._store, "number", eq("queue", self._queue), part):
            for item in page:
                if item.state is state:
                    yield item

    async def page(self, state: WorkState, group: str | None = None, *, after: int = _BEFORE_ALL) -> Sequence[WorkItem]:
        """The first behind a number: those in a state, or if a group is named all of that."""
        part = eq("state", state) if group is None else eq("group", group)
        return await self._first(_PAGE, part, gt("number", after))

    async def first(self, group: str) -> WorkItem | None:
        """The first of a group, in whatever state."""
        return next(iter(await self._first(1, eq("group", group))), None)

    async def first_idle(self, group: str) -> WorkItem | None:
        """The first of a group that nobody has in hand."""
        found = await self._first(_PAGE, eq("group", group))
        return next((item for item in found if item.state is not WorkState.RUNNING), None)

    async def begin(self, item: WorkItem, most: int) -> int:
        """Counts an attempt at an item, which is added if it is new. Returns which one it is, or one too many.

        Raises:
            ConcurrencyError: somebody else is at it.
        """
        session = Session(self._store)
        held = await session.get(WORK_ITEMS, item.id) or item
        if held.attempts >= most:
            return held.attempts + 1
        held.attempts += 1
        session.save(WORK_ITEMS, held)
        await session.commit()
        return held.attempts

    async def take_back(self, id: str) -> bool:
        """Lets the last attempt at an item not count: it was cut short. Returns whether that is stored."""
        session = Session(self._store)
        with suppress(Unavailable, ConcurrencyError):
            if item := await session.get(WORK_ITEMS, id):
                item.attempts -= 1
                session.save(WORK_ITEMS, item)
                await session.commit()
                return True
        return False

    async def remove(self, item: WorkItem) -> None:
        """Removes an item, whoever has it."""
        session = Session(self._store)
        await session.delete(self.kind, item.id)
        await session.commit()

    async def clear(self) -> None:
        """Removes all of them."""
        for state in WorkState:
            async for item in self.find(state):
                await self.remove(item)

    async def _first(self, limit: int, *where: Condition) -> Sequence[WorkItem]:
        find = Find([eq("queue", self._queue), *where], ["number"], descending=False, limit=limit)
        return await Session(self._store).find(self.kind, find)


class WorkQueue:
    """One process's view of one queue.

    Attributes:
        seconds: how long a claimed item is ours unless it is renewed.
        ordered: whether the items of one group are claimed one after the other.
    """

    def __init__(
        self, store: DocumentStore, clock: Clock, *, queue: str, owner: str, seconds: float, ordered: bool = False
    ) -> None:
        self.ordered = ordered
        self._all = WorkItems(store, queue)
        self._store = store
        self._clock = clock
        self._queue = queue
        self._owner = owner
        self.seconds = seconds

    async def claim(self, limit: int = 1) -> Sequence[WorkItem]:
        """Takes work that is due, what a dead owner left included. The attempt is counted before it is returned.

        Raises:
            Unavailable: nothing could be taken. (What was is returned, even if the store broke off in between.)
        """
        claimed: list[WorkItem] = []
        for state in (WorkState.RUNNING, WorkState.WAITING):
            if (room := limit - len(claimed)) > 0:
                ready = await self._in_turn(state, room) if self.ordered else await self._due(state, room)
                taken = await asyncio.gather(*map(self.take, ready[:room]), return_exceptions=True)
                claimed += [item for item, mine in zip(ready, taken, strict=False) if mine is True]
                if not claimed and (failed := [one for one in taken if isinstance(one, BaseException)]):
                    raise failed[0]
        return claimed

    async def due(self, limit: int) -> Sequence[WorkItem]:
        """What could be taken, so many of those that a dead owner left and of those that wait."""
        return [*await self._due(WorkState.RUNNING, limit), *await self._due(WorkState.WAITING, limit)]

    def now(self) -> datetime:
        """The time by which items are due."""
        return self._clock.now()

    async def _in_turn(self, state: WorkState, room: int) -> Sequence[WorkItem]:
        """The first ones of the groups of which something is due. A few pages are looked through for them, so that a
        group of which much waits does not stand before all others."""
        ready: list[WorkItem] = []
        groups: set[str] = set()
        pages = 0
        async for page in _pages(self._store, "due", *self._is_due(state)):
            ready += await self._first_of([item for item in page if item.group not in groups])
            groups, pages = groups.union(item.group for item in page), pages + 1
            if len(ready) >= room or len(page) < _PAGE or pages == _PAGES:
                break
        return ready

    async def _first_of(self, found: Sequence[WorkItem]) -> Sequence[WorkItem]:
        """The first ones of their groups, if it is their time. What stands behind one that is parked is parked, too."""
        ready: list[WorkItem] = []
        for group in dict.fromkeys(item.group for item in found):
            first = await self._all.first(group)
            if first is not None and first.state is WorkState.PARKED:
                for behind in (item for item in found if item.group == group):
                    with suppress(ConcurrencyError):
                        await self._leave(behind, WorkState.PARKED, behind.due, None)
            elif first is not None and first.due <= self.now():
                ready.append(first)
        return ready

    async def renew(self, item: WorkItem) -> None:
        """Keeps a claimed item for another while.

        Raises:
            ConcurrencyError: somebody else has it.
        """
        session = Session(self._store)
        held = await self._ours(item, session)
        held.due = self.now() + timedelta(seconds=self.seconds)
        session.save(WORK_ITEMS, held)
        await session.commit()

    async def finish(self, item: WorkItem, session: Session) -> None:
        """Stages the end of a claimed item, to be committed together with what the work has written.

        Raises:
            ConcurrencyError: somebody else has it.
        """
        await self._ours(item, session)
        await session.delete(WORK_ITEMS, item.id)

    async def keep(self, item: WorkItem, session: Session, outcome: str | None, until: datetime | None) -> None:
        """Stages the end of a claimed item like `finish`, but it stays, so that the same work is known: for ever, or
        until it may be removed.

        Raises:
            ConcurrencyError: somebody else has it.
        """
        held = await self._ours(item, session)
        held.state, held.owner, held.error, held.due = WorkState.DONE, "", outcome, until or held.due
        session.save(WORK_ITEMS, held)

    async def hand_back(self, item: WorkItem, *, due: datetime, error: str | None = None, counts: bool = True) -> None:
        """Lets a claimed item be tried again, by anybody, not before `due`. `counts`: the attempt was one.

        Raises:
            ConcurrencyError: somebody else has it.
        """
        await self._leave(item, WorkState.WAITING, due, error, counts=counts)

    async def park(self, item: WorkItem, error: str) -> None:
        """Puts a claimed item aside until somebody decides.

        Raises:
            ConcurrencyError: somebody else has it.
        """
        await self._leave(item, WorkState.PARKED, item.due, error)

    async def _leave(
        self, item: WorkItem, state: WorkState, due: datetime, error: str | None, *, counts: bool = True
    ) -> None:
        session = Session(self._store)
        held = await self._ours(item, session)
        held.state, held.owner, held.due, held.error = state, "", due, error
        if not counts:
            held.attempts, held.waits = held.attempts - 1, held.waits + 1
        session.save(WORK_ITEMS, held)
        await session.commit()

    async def take(self, item: WorkItem) -> bool:
        """Makes one that is due ours, unless somebody is faster. The attempt is counted."""
        session, now = Session(self._store), self.now()
        with suppress(ConcurrencyError):
            await self._ours(item, session)
            item.state, item.owner, item.due = WorkState.RUNNING, self._owner, now + timedelta(seconds=self.seconds)
            item.attempts += 1
            session.save(WORK_ITEMS, item)
            await session.commit()
            return True
        return False

    async def _due(self, state: WorkState, limit: int) -> Sequence[WorkItem]:
        find = Find(self._is_due(state), ["due"], descending=False, limit=limit)
        return await Session(self._store).find(WORK_ITEMS, find)

    def _is_due(self, state: WorkState) -> Sequence[Condition]:
        return eq("queue", self._queue), eq("state", state), le("due", self.now())

    async def _ours(self, item: WorkItem, session: Session) -> WorkItem:
        held = await session.get(WORK_ITEMS, item.id)
        if held is None or (held.owner, held.attempts) != (item.owner, item.attempts):
            raise ConcurrencyError(f"{WORK_ITEMS.collection}/{item.id}", item.attempts, held.attempts if held else 0)
        return held


async def _pages(store: DocumentStore, order: str, *where: Condition) -> AsyncIterator[Sequence[WorkItem]]:
    """All that meet the conditions, page by page."""
    find = Find(where, [order], descending=False, limit=_PAGE)
    while page := await Session(store).find(WORK_ITEMS, find):
        yield page
        find = replace(find, after=sort_key(WORK_ITEMS, find, page[-1]))
