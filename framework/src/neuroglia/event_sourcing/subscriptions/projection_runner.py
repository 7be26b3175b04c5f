"""Projections: one ordered consumer each, and its models built anew beside the live ones."""

import asyncio
from collections.abc import Sequence
from typing import Final

from typing_extensions import override

from neuroglia.documents import Lease, Session
from neuroglia.event_sourcing.handlers import SubscriberType
from neuroglia.event_sourcing.store import PAGE, Batch
from neuroglia.event_sourcing.subscriptions.checkpoints import GENERATIONS, CheckpointMoved, Generation, commit_move
from neuroglia.event_sourcing.subscriptions.means import Means
from neuroglia.event_sourcing.subscriptions.projecting import Projector
from neuroglia.event_sourcing.subscriptions.runner import SubscriptionRunner

_KEEP_S: Final = 30.0
"""So long, or for the time of a lease, an old generation stays for readers in other processes that have not heard of
the swap."""
_STRIDE: Final = 14_000
"""A rebuild takes more events at once: nobody waits for one of them, and a store writes many in less time."""


class ProjectionRunner(SubscriptionRunner):
    """Runs one projection. Everything that a batch writes is committed together with the checkpoint."""

    def __init__(self, kind: SubscriberType, prefixes: Sequence[str], means: Means, lease: Lease) -> None:
        super().__init__(kind, prefixes, means, lease)
        self._go_live(self._projector(1))
        self._suspicious = False  # the next events of a rebuild may be why somebody died at it
        self._retired: dict[int, float] = {}  # generations nobody should read any more, and when they go

    async def rebuild(self) -> None:
        """Asks for the models to be built anew from the first event on. Whoever has the lease does it, and swaps the
        new generation for the live one when it has caught up; until then the live one is read and kept up to date."""
        session = Session(self._means.documents)
        row = await self._row(session)
        row.building = row.building or row.live + 1
        session.save(GENERATIONS, row)
        await session.commit()
        self._requested.set()

    @override
    async def look(self) -> None:
        row = await self._row(Session(self._means.documents))
        if row.live != self._live.generation:
            self._go_live(self._projector(row.live))
            await self._means.documents.prepare(list(self._live.types.values()))  # a new index may be declared
            self._retire(row.live - 1)
        self._means.generations.use(self._live.models, row.live)
        await self._live.load()
        await self._tell()

    @override
    async def _resume(self) -> None:
        await self.look()
        if self._lease.taken_over:
            self._suspicious = True
            await self._live.suspect(PAGE, await self.own_end(await self._means.events.head()))
        await self._live.checkpoint.verify(self._means.events)
        await self.parking.load()
        self.status.parked = len(self.parking.held)

    @override
    async def _take(self, batch: Batch) -> None:
        await self._live.take(batch.events)

    @override
    async def _attend(self) -> None:
        row = await self._row(Session(self._means.documents))
        if row.live != self._live.generation:  # another runner has swapped, or we have and were not told
            raise CheckpointMoved
        async with self._turn:
            await self._live.replay()
            self.status.parked = len(self.parking.held)
        if row.building is not None:
            await self._build(row.building)
        self._suspicious = False
        for generation in [old for old, due in self._retired.items() if due <= asyncio.get_running_loop().time()]:
            await self._projector(generation).remove()
            del self._retired[generation]
        self._patience.recovered()  # a batch that fails keeps its turn: what failed in this one is settled

    async def _build(self, generation: int) -> None:
        """Builds a generation beside the live one, and puts it in the place of that."""
        next_one = self._projector(generation)
        await self._means.documents.prepare(list(next_one.types.values()))
        await next_one.load()
        await next_one.checkpoint.verify(self._means.events)
        await next_one.parking.load()  # a runner that has stopped may have begun it
        if self._suspicious:
            await next_one.suspect(_STRIDE, await self.own_end(await self._means.events.head()))
            self._suspicious = False
        try:
            await self._catch_up(next_one)
            async with self._turn:  # the live one stands still: catch up with it for good
                await self._catch_up(next_one)
                await self._swap(next_one)
        finally:
            self.status.rebuilt = None

    async def _catch_up(self, projector: Projector) -> None:
        while True:
            batch = await self._means.events.read_all(
                after=projector.checkpoint.position, prefixes=self.prefixes, limit=_STRIDE
            )
            await projector.take(batch.events)
            self.status.rebuilt = projector.checkpoint.position
            if batch.caught_up:
                return

    async def _swap(self, next_one: Projector) -> None:
        session = Session(self._means.documents)
        row = await self._row(session)
        if row.building != next_one.generation:
            raise CheckpointMoved
        old, row.live, row.building = row.live, next_one.generation, None
        session.save(GENERATIONS, row)
        # one compare-and-set: from now on everybody reads the new generation
        await commit_move(session, f"{GENERATIONS.collection}/{row.name}")
        self._go_live(next_one)
        self._means.generations.use(next_one.models, next_one.generation)
        await self._tell()
        self._retire(old)

    def _retire(self, generation: int) -> None:
        self._retired[generation] = asyncio.get_running_loop().time() + max(_KEEP_S, self._lease.seconds)

    async def _row(self, session: Session) -> Generation:
        return await session.get(GENERATIONS, self.status.name) or Generation(name=self.status.name)

    def _projector(self, generation: int) -> Projector:
        return Projector(self.kind, generation, self._means, self._patience, self._tell)

    def _go_live(self, projector: Projector) -> None:
        self._live, self.parking = projector, projector.parking

    async def _tell(self) -> None:
        self.status.parked = len(self.parking.held)
        self.status.unknown_events = self._live.unknown_events
        await self._passed(self._live.checkpoint.position)
