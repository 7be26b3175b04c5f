"""Aggregates whose state is the sum of their events."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final, TypeVar

from typing_extensions import override

from neuroglia.core.clock import Clock
from neuroglia.core.errors import ConcurrencyError, NotFoundError, PreconditionFailed, Unavailable
from neuroglia.core.generics import words
from neuroglia.domain import AggregateRoot, Envelope, History, Repository
from neuroglia.event_sourcing.codec import EventCodec
from neuroglia.event_sourcing.once import OneCommand
from neuroglia.event_sourcing.snapshots import Snapshots
from neuroglia.event_sourcing.store import NO_STREAM, PAGE, EventMetadata, EventStore, NewEvent, StoredEvent
from neuroglia.observability import OFF, Tracing

A = TypeVar("A", bound=AggregateRoot)
_TAIL: Final = 10
"""So many of the last events of a stream are looked through for those of an earlier try, and then twice as many at each
look: mostly there are but a few."""


def stream_name(kind: type[AggregateRoot], id: str) -> str:
    """The stream of an aggregate: `bank_account-7`."""
    return f"{kind.stream}-{id}"


class EventSourcedRepository(Repository[A], History[A]):
    """Loads an aggregate by replaying its stream, and saves it by appending what it decided since."""

    def __init__(
        self, kind: type[A], store: EventStore, codec: EventCodec, clock: Clock, command: OneCommand,
        snapshots: Snapshots, tracing: Tracing = OFF,
    ) -> None:  # fmt: skip
        self._kind, self._store, self._codec = kind, store, codec
        self._clock, self._snapshots, self._tracing = clock, snapshots, tracing
        self._command, self._context = command, command.context
        self._repeated: dict[str, Sequence[StoredEvent]] = {}

    @override
    async def get(self, id: str) -> A:
        """See `Repository.get`. When this is a repeat of a command, the aggregate is as the first try found it."""
        stream = stream_name(self._kind, id)
        ours = self._command.event_id(stream, 0) if self._command.may_repeat else None
        aggregate, events = await self._begin(id, stream)
        async for stored in events:
            if stored.id == ours and stored.position > self._command.since:
                self._repeated[stream] = await self._appended_before(stream, stored.revision)
                break
            aggregate.replay(self._codec.decode(stored), stored.revision, stored.recorded_at)
        if aggregate.version < 0:
            raise NotFoundError(words(self._kind), id)
        return aggregate

    @override
    async def save(self, aggregate: A) -> Sequence[Envelope]:
        """See `Repository.save`. A repeat returns what the first try recorded, and records nothing.

        Raises:
            PreconditionFailed: the aggregate is not at the version that the caller expects.
            RuntimeError: this message has saved before.
        """
        expected = self._context.expected_versions
        if expected is not None and aggregate.version not in expected:
            raise PreconditionFailed("It is at another version than If-Match says. Read it again.")
        if not aggregate.pending:
            return []
        stream = stream_name(self._kind, aggregate.id)
        await self._command.saves(stream, aggregate.version)
        if aggregate.version < 0 and self._command.may_repeat:
            self._repeated[stream] = await self._appended_before(stream, 0)
        repeated, before = self._repeated.get(stream), aggregate.version
        if repeated:  # as the first try answered: an append tells the position of its last event alone
            envelopes = [self._codec.open(stored)._replace(position=repeated[-1].position) for stored in repeated]
        else:
            envelopes = await self._append(stream, aggregate)
        last = envelopes[-1]
        aggregate.mark_saved(last.revision, last.recorded_at)
        self._context.reply.event_position = max(last.position, self._context.reply.event_position or 0)
        if not repeated:
            await self._snapshots.keep(aggregate, last, before=before)
        return envelopes

    @override
    async def as_of(self, id: str, moment: datetime) -> A:
        aggregate = self._kind(id)
        async for stored in self._store.read(stream_name(self._kind, id)):
            if stored.recorded_at > moment:
                break
            aggregate.replay(self._codec.decode(stored), stored.revision, stored.recorded_at)
        if aggregate.version < 0:
            raise NotFoundError(words(self._kind), id)
        aggregate.seal()
        return aggregate

    async def _begin(self, id: str, stream: str) -> tuple[A, AsyncIterator[StoredEvent]]:
        """The aggregate as its snapshot knows it, and the events behind that; without one, from the beginning."""
        aggregate = self._kind(id)
        event_id = await self._snapshots.load(stream, aggregate)
        if event_id is not None and self._command.trusts and self._snapshots.is_latest(stream, event_id):
            version = aggregate.version
            self._command.trust(stream, version, lambda: self._confirm(stream, version, event_id))
            return aggregate, self._store.read(stream, limit=0)
        if event_id is not None:
            events = self._store.read(stream, after=aggregate.version - 1)
            first = await anext(events, None)
            if first is None or first.id != event_id:  # it is of another log, or a log that was cut
                return self._kind(id), self._store.read(stream)
            if not await self._holds_own_effect(stream, first):
                return aggregate, events
        return self._kind(id), self._store.read(stream)

    async def _holds_own_effect(self, stream: str, last: StoredEvent) -> bool:
        """Whether an earlier try of this command has appended to a stream at or before an event: then its state is no
        state to decide on again."""
        ours, since = self._command.event_id(stream, 0), self._command.since
        first, before, tail = last, last.revision + 1, _TAIL
        while self._command.may_repeat and first.position > since and before > 0:
            after, size = max(before - tail, 0) - 1, min(before, tail)
            page = await self._store.read_page(stream, after=after, limit=size)
            if any(stored.id == ours for stored in page.events):
                return True
            if not page.events:  # somebody has truncated the stream
                break
            first, before, tail = page.events[0], after + 1, min(2 * tail, PAGE)
        return False

    async def _confirm(self, stream: str, version: int, event_id: str) -> None:
        """Makes sure that a stream still ends with this event, at this revision."""
        page = await self._store.read_page(stream, after=version - 1, limit=2)
        if [stored.id for stored in page.events] != [event_id]:
            self._snapshots.doubt(stream)
            raise ConcurrencyError(stream, version, page.events[-1].revision if page.events else NO_STREAM)

    async def _append(self, stream: str, aggregate: A) -> list[Envelope]:
        if self._command.since > self._store.reached and self._command.since > await self._store.head():
            raise Unavailable("The event store has lost its last events, behind which this command began.")
        now = max(filter(None, (self._clock.now(), aggregate.modified_at)))  # even if the clock was set back
        context, codec, event_id = self._context, self._codec, self._command.event_id
        with self._tracing.appending(stream, len(aggregate.pending), context) as traceparent:
            metadata = EventMetadata(
                recorded_at=now, correlation_id=context.correlation_id, causation_id=context.causation_id,
                actor=context.principal.id, traceparent=traceparent,
            )  # fmt: skip
            events = [
                NewEvent(id=event_id(stream, n), type=codec.name(event), data=codec.encode(event), metadata=metadata)
                for n, event in enumerate(aggregate.pending)
            ]
            try:
                appended = await self._store.append(stream, events, aggregate.version)
            except ConcurrencyError:
                self._snapshots.doubt(stream)
                raise
        first = appended.revision - len(events) + 1
        return [
            Envelope(
                event=event, id=new.id, stream=stream, revision=first + number,
                position=appended.position, recorded_at=now,
                correlation_id=metadata.correlation_id, causation_id=metadata.causation_id, actor=metadata.actor,
            )
            for number, (event, new) in enumerate(zip(aggregate.pending, events, strict=True))
        ]  # fmt: skip

    async def _appended_before(self, stream: str, revision: int) -> Sequence[StoredEvent]:
        """What an earlier try of this command appended, if it did so at this revision."""
        found: list[StoredEvent] = []
        async for stored in self._store.read(stream, after=revision - 1):
            if stored.id != self._command.event_id(stream, len(found)):
                break
            found.append(stored)
        return found
