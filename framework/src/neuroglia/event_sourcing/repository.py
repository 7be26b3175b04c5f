"""Aggregates whose state is the sum of their events."""

from collections.abc import Sequence
from typing import TypeVar

from typing_extensions import override

from neuroglia.core.clock import Clock
from neuroglia.core.context import RequestContext
from neuroglia.core.errors import NotFoundError
from neuroglia.core.generics import words
from neuroglia.core.ids import Ids
from neuroglia.domain import AggregateRoot, Envelope, Repository
from neuroglia.event_sourcing.codec import EventCodec
from neuroglia.event_sourcing.store import EventMetadata, EventStore, NewEvent

A = TypeVar("A", bound=AggregateRoot)


def stream_name(kind: type[AggregateRoot], id: str) -> str:
    """The stream of an aggregate: `bank_account-7`."""
    return f"{kind.stream}-{id}"


class EventSourcedRepository(Repository[A]):
    """Loads an aggregate by replaying its stream, and saves it by appending what it decided since."""

    def __init__(
        self,
        kind: type[A],
        store: EventStore,
        codec: EventCodec,
        clock: Clock,
        ids: Ids,
        context: RequestContext,
    ) -> None:
        self._kind = kind
        self._store = store
        self._codec = codec
        self._clock = clock
        self._ids = ids
        self._context = context

    @override
    async def get(self, id: str) -> A:
        aggregate = self._kind(id)
        async for stored in self._store.read(stream_name(self._kind, id)):
            aggregate.replay(self._codec.decode(stored), stored.revision, stored.metadata.recorded_at)
        if aggregate.version < 0:
            raise NotFoundError(words(self._kind), id)
        return aggregate

    @override
    async def save(self, aggregate: A) -> Sequence[Envelope]:
        pending = aggregate.pending
        if not pending:
            return []
        now = self._clock.now()
        if aggregate.modified_at is not None:  # a clock that was set back must not turn history round
            now = max(now, aggregate.modified_at)
        metadata = EventMetadata(
            recorded_at=now,
            correlation_id=self._context.correlation_id,
            causation_id=self._context.causation_id,
            actor=self._context.actor,
            traceparent=self._context.traceparent,
        )
        events = [
            NewEvent(
                id=self._ids.new(),
                type=self._codec.name(event),
                data=self._codec.encode(event),
                metadata=metadata,
            )
            for event in pending
        ]
        stream = stream_name(self._kind, aggregate.id)
        appended = await self._store.append(stream, events, aggregate.version)
        aggregate.mark_saved(appended.revision, now)
        self._context.reply.event_position = max(appended.position, self._context.reply.event_position or 0)
        first = appended.revision - len(events) + 1
        return [
            Envelope(
                event=event, id=new.id, stream=stream, revision=first + index,
                position=appended.position, recorded_at=now,
                correlation_id=metadata.correlation_id, causation_id=metadata.causation_id, actor=metadata.actor,
            )
            for index, (event, new) in enumerate(zip(pending, events, strict=True))
        ]  # fmt: skip
