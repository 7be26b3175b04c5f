"""Process managers: their steps are sent, repeated where a process stands still, and begun when they are due."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, cast

from typing_extensions import override

from neuroglia.core.context import Principal, Reply, RequestContext, current_context, use_context
from neuroglia.core.errors import ConcurrencyError, NotFoundError, Unavailable
from neuroglia.core.ids import SystemIds, derived_id
from neuroglia.dependency_injection import Scope
from neuroglia.documents import WORK_ITEMS, Lease, Session, WorkItem, WorkQueue
from neuroglia.documents.attempts import failure_of
from neuroglia.domain import DomainError, Envelope
from neuroglia.event_sourcing.handlers import SubscriberType
from neuroglia.event_sourcing.store import StoredEvent
from neuroglia.event_sourcing.subscriptions.means import Means, context_of
from neuroglia.event_sourcing.subscriptions.reaction_runner import ReactionRunner
from neuroglia.mediation import Mediator
from neuroglia.process_managers.steps import Step, as_sequence

if TYPE_CHECKING:  # which names this runner as its own
    from neuroglia.process_managers.manager import ProcessManager

_log: Final = logging.getLogger("neuroglia.subscriptions")
_AT_ONCE: Final = 100
_AGAIN: Final = timedelta(seconds=1)
"""When a deadline that failed is tried again; so much longer for each failure."""


class ProcessRunner(ReactionRunner):
    """Runs one process manager."""

    def __init__(self, kind: SubscriberType, prefixes: Sequence[str], means: Means, lease: Lease) -> None:
        super().__init__(kind, prefixes, means, lease)
        self._manager = cast("type[ProcessManager]", kind.subscriber)
        self._swept = means.clock.now()
        self._queue = f"{self.status.name}:deadlines"
        self._deadlines = WorkQueue(
            means.documents, means.clock, queue=self._queue, owner=SystemIds().new(), seconds=lease.seconds
        )

    @override
    async def _handle_in(self, scope: Scope, envelope: Envelope) -> None:
        for step in await self._steps(scope, envelope):
            if step.after is None:
                await self._send(scope, step)
            else:
                await self._note(scope, step, envelope, envelope.recorded_at + step.after)

    @override
    async def _attend(self) -> None:
        await super()._attend()
        if self._lanes is None:
            return
        for item in await self._deadlines.due(_AT_ONCE):
            if item.id not in self._in_lanes:
                self._in_lanes.add(item.id)
                await self._lanes.put(item.group, partial(self._meet, item))
        now = self._means.clock.now()
        if now - self._swept >= self._manager.sweep:
            self._swept = now
            for process in await self._unfinished(now - self._manager.sweep):
                stream = f"{self._manager.of.stream}-{process}"
                await self._lanes.put(stream, partial(self._repeat, stream))

    async def _steps(self, scope: Scope, envelope: Envelope) -> Sequence[Step]:
        manager = await scope.get(self.kind.subscriber)
        return as_sequence(self.kind.handlers[type(envelope.event)](manager, envelope.event, envelope))

    async def _send(self, scope: Scope, first: Step) -> None:
        """Sends a step's command, and those that follow from how it ends."""
        mediator = await scope.get(Mediator)
        step: Step | None = first
        while step is not None:
            command_id = derived_id(self.status.name, step.process, step.name)
            with use_context(replace(current_context(), command_id=command_id, reply=Reply())):
                try:
                    await mediator.execute(step.command)
                except (DomainError, NotFoundError) as refusal:
                    told = {"process_id": step.process, "step": step.name, "outcome": refusal.code}
                    _log.info("step refused", extra=told)
                    step = step.refused(refusal) if step.refused else None
                else:
                    step = step.done

    async def _note(self, scope: Scope, step: Step, envelope: Envelope, due: datetime) -> None:
        """Stages a deadline. It keeps the place of its event, from which the command can be made again."""
        session, id = await scope.get(Session), derived_id(self._queue, step.process, step.name)
        if await session.get(WORK_ITEMS, id) is None:
            item = WorkItem(id=id, queue=self._queue, group=envelope.stream, number=envelope.position, due=due)
            item.body = {"revision": envelope.revision, "step": step.name}
            session.save(WORK_ITEMS, item)

    async def _meet(self, item: WorkItem) -> None:
        """Sends the command whose time has come. It is ours from its turn in its lane on."""
        try:
            if await self._patience.insist(lambda: self._deadlines.take(item)):
                with suppress(ConcurrencyError):  # it took longer than a lease, and somebody else has it
                    await self._try(item)
        finally:
            self._in_lanes.discard(item.id)

    async def _try(self, item: WorkItem) -> None:
        if item.attempts > self.kind.subscriber.attempts:  # it has killed those that tried
            await self._patience.insist(partial(self._deadlines.park, item, "ProcessDied"))
            return
        try:
            await self._carry_out(item)
            self._patience.recovered()
        except Exception as failure:  # noqa: BLE001 - it is tried again, or parked, and told
            self._patience.note(failure)
            name, waits = type(failure).__name__, isinstance(failure, Unavailable)
            if waits or item.attempts < self.kind.subscriber.attempts:
                due = self._means.clock.now() + _AGAIN * item.attempts
                leave = partial(self._deadlines.hand_back, item, due=due, error=name, counts=not waits)
            else:
                leave = partial(self._deadlines.park, item, name)
            await self._patience.insist(leave)

    async def _carry_out(self, item: WorkItem) -> None:
        try:
            revision = int(str(item.body["revision"]))
            async with self._means.provider.create_scope() as scope:
                async for stored in self._means.events.read(item.group, after=revision - 1, limit=1):
                    name, tracing = self.status.name, self._means.tracing
                    context = context_of(name, stored)
                    with use_context(context), tracing.handling(name, stored.id, context, type=stored.type):
                        for step in await self._steps(scope, self._means.codec.open(stored)):
                            if step.name == item.body["step"]:
                                await self._send(scope, step)
                session = await scope.get(Session)
                await self._deadlines.finish(item, session)
                await session.commit()
        except asyncio.CancelledError as cancelled:  # of the handler: else it would end all lanes
            raise failure_of(cancelled) from None

    async def _unfinished(self, before: datetime) -> Sequence[str]:
        async with self._means.provider.create_scope() as scope:
            manager = await scope.get(self._manager)
            with use_context(replace(RequestContext.new(), principal=Principal.system(self.status.name))):
                return await (await scope.get(Mediator)).execute(manager.unfinished(before))

    async def _repeat(self, stream: str) -> None:
        """Handles the last event of a process again, if it is done with: else its turn is still to come."""
        last: StoredEvent | None = None
        async for stored in self._means.events.read(stream):
            last = stored
        kind = self._means.codec.class_of(last.type) if last and last.position <= self._mark.position else None
        if last is None or kind not in self.kind.handlers or stream in self.parking.held:
            return
        _log.warning("process stands still", extra={"subscription": self.status.name, "stream": stream})
        if await self._patience.try_once(partial(self._settle, last, None)):  # else the next sweep tries again
            self._patience.recovered()
