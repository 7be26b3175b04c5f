"""The outbox of services that keep state: events that are stored with it, and sent afterwards."""

from typing import Final

from typing_extensions import override

from neuroglia.cloud_events.events import CloudEventOptions, CloudEventWriter, IntegrationEvent
from neuroglia.cloud_events.messages import dump, load
from neuroglia.cloud_events.sink import Sink
from neuroglia.core.clock import Clock
from neuroglia.core.context import RequestContext
from neuroglia.core.ids import derived_id
from neuroglia.dependency_injection import Scope, ServiceProvider
from neuroglia.documents import WORK_ITEMS, Session, WorkItem
from neuroglia.documents.workers import Workers

_QUEUE: Final = "outbox"
_WORKERS: Final = 16


class Outbox:
    """What is added is stored in the commit of this scope, or not at all.

    The id of an event derives from the change that it tells of. (Not from the command, which a job may send twice.)
    """

    def __init__(self, session: Session, writer: CloudEventWriter, clock: Clock) -> None:
        self._session, self._writer, self._clock = session, writer, clock
        self._count = 0

    def add(self, event: IntegrationEvent, *, subject: str, number: int) -> None:
        """Tells the outside of an aggregate: `subject` is its id, `number` its version after the change. The events of
        one subject are sent in the order of their numbers, and of their adding."""
        self._count += 1
        id_ = derived_id(_QUEUE, event.event_type, subject, number, self._count)
        body, now = {"event": dump(self._writer.wrap(event, id_, subject))}, self._clock.now()
        row = f"{self._count:06}-{id_}"
        self._session.save(WORK_ITEMS, WorkItem(id=row, queue=_QUEUE, group=subject, number=number, due=now, body=body))


class OutboxDispatcher(Workers):
    """Sends what is in the outbox, at least once: different subjects at the same time, each in order. What the sink
    refuses is parked, and what follows it in its subject behind it."""

    def __init__(self, provider: ServiceProvider, options: CloudEventOptions, sink: Sink) -> None:
        super().__init__(provider, _QUEUE, workers=_WORKERS, lease_seconds=options.lease_seconds, ordered=True)
        self._sink = sink

    @override
    def _context(self, item: WorkItem) -> RequestContext:
        event = load(str(item.body["event"]))
        return RequestContext.new(event.get_extension("correlationid"), traceparent=event.get_extension("traceparent"))

    @override
    async def _perform(self, item: WorkItem, scope: Scope) -> None:
        await self._sink.deliver(load(str(item.body["event"])))
