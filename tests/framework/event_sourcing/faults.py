"""Stores that fail when they are told to, and a projection that can be watched and held."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from typing_extensions import override

from neuroglia.core import RequestContext, Unavailable, current_context
from neuroglia.documents import Documents, DocumentStore, DocumentType, Find, StoredDocument, Write
from neuroglia.domain import Envelope
from neuroglia.event_sourcing import BEGINNING, Batch, on
from neuroglia.event_sourcing.adapters.sqlite import SqliteEventStore
from tests.framework.event_sourcing.counting import CounterIncreased, CounterProjection, CounterView
from tests.support.waiting import eventually


class FlakyDocuments(DocumentStore):
    """Another store, with commits that fail, once for each entry of `faults`.

    "before": nothing was written. "after": it was written, but the answer was lost. "ok": all is well.
    """

    def __init__(self, store: DocumentStore, *faults: str) -> None:
        self._store = store
        self.faults = list(faults)
        self.commits = 0

    @override
    async def commit(self, writes: Sequence[Write]) -> None:
        self.commits += 1
        fault = self.faults.pop(0) if self.faults else None
        if fault != "before":
            await self._store.commit(writes)
        if fault in {"before", "after"}:
            raise Unavailable(f"lost {fault} the commit")

    @override
    async def open(self) -> None:
        await self._store.open()

    @override
    async def aclose(self) -> None:
        await self._store.aclose()

    @override
    async def ping(self) -> None:
        await self._store.ping()

    @override
    async def prepare(self, types: Sequence[DocumentType[Any]]) -> None:
        await self._store.prepare(types)

    @override
    async def drop(self, types: Sequence[DocumentType[Any]]) -> None:
        await self._store.drop(types)

    @override
    async def get(self, collection: str, key: str) -> StoredDocument | None:
        return await self._store.get(collection, key)

    @override
    async def find(self, kind: DocumentType[Any], find: Find) -> Sequence[StoredDocument]:
        return await self._store.find(kind, find)


class SlowDocuments(FlakyDocuments):
    """Does not get done with more than so many writes at once in the time that it has."""

    def __init__(self, store: DocumentStore, most: int) -> None:
        super().__init__(store)
        self.sizes: list[int] = []
        self._most = most

    @override
    async def commit(self, writes: Sequence[Write]) -> None:
        self.sizes.append(len(writes))
        if len(writes) > self._most:
            self.faults.insert(0, "before")
        await super().commit(writes)


class TouchyDocuments(FlakyDocuments):
    """Fails at the first commit with a write that is `meant`, before or after it is done."""

    def __init__(self, store: DocumentStore, fault: str) -> None:
        super().__init__(store)
        self.meant: Callable[[Write], bool] = lambda _: False
        self.touched = asyncio.Event()
        self._fault = fault

    @override
    async def commit(self, writes: Sequence[Write]) -> None:
        if not self.touched.is_set() and any(map(self.meant, writes)):
            self.touched.set()
            self.faults.insert(0, self._fault)
        await super().commit(writes)


class ChoppedEvents(SqliteEventStore):
    """Gives the log in pieces of these sizes, then as usual; 0 stands for a failure."""

    def __init__(self, *sizes: int) -> None:
        super().__init__(":memory:")
        self.sizes = list(sizes)

    @override
    async def read_all(self, *, after: int = BEGINNING, prefixes: Sequence[str] = (), limit: int = 500) -> Batch:
        size = self.sizes.pop(0) if self.sizes else limit
        if size == 0:
            raise Unavailable("down for a moment")
        return await super().read_all(after=after, prefixes=prefixes, limit=size)


class RepeatingEvents(SqliteEventStore):
    """Gives every event at least twice: at each look those of the last one again, and so many from before them.

    Attributes:
        told: how often each event was given, by its position.
    """

    def __init__(self, *repeats: int) -> None:
        super().__init__(":memory:")
        self.repeats = list(repeats)
        self.told: Counter[int] = Counter()

    @override
    async def read_all(self, *, after: int = BEGINNING, prefixes: Sequence[str] = (), limit: int = 500) -> Batch:
        new = await super().read_all(after=after, prefixes=prefixes, limit=2)
        back = 2 + (self.repeats.pop(0) if self.repeats else 0)
        old = await super().read_all(after=max(BEGINNING, after - back), prefixes=prefixes, limit=limit)
        known = [event for event in old.events if event.position <= after]
        if not new.events and self.told[after] != 1:  # else the last ones would come again for ever
            return new
        self.told.update(event.position for event in (*known, *new.events))
        return Batch([*known, *new.events], new.caught_up)

    async def twice(self, position: int) -> None:
        """Has those who follow look again, until the event at this position was given twice."""

        async def is_told() -> bool:
            self._wake(position)
            return self.told[position] > 1

        await eventually(is_told)


class Probe:
    """What happens in a projection, and what shall happen there."""

    def __init__(self, on_event: Callable[[int], None] = lambda _: None) -> None:
        self.contexts: list[RequestContext] = []
        self.calls = 0
        self.entered = asyncio.Event()
        self.release = asyncio.Event()
        self.release.set()
        self._on_event = on_event

    async def pass_through(self) -> None:
        """Called for each event."""
        self.calls += 1
        self.contexts.append(current_context())
        self._on_event(self.calls)
        self.entered.set()
        await self.release.wait()

    def hold(self) -> None:
        """Lets the next event wait."""
        self.entered.clear()
        self.release.clear()


class ProbedProjection(CounterProjection):
    def __init__(self, views: Documents[CounterView], probe: Probe) -> None:
        super().__init__(views)
        self.probe = probe

    @override
    @on
    async def increased(self, event: CounterIncreased, envelope: Envelope) -> None:
        await self.probe.pass_through()
        await super().increased(event, envelope)
