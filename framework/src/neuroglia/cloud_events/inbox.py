"""The inbox: events of other services, durably noted before they are acknowledged, and handled once."""

from collections.abc import Sequence, Set as AbstractSet
from typing import Any, Final, cast

import tenacity
from cloudevents.core.v1.event import CloudEvent
from pydantic import JsonValue, ValidationError
from typing_extensions import override

from neuroglia.cloud_events.events import CloudEventOptions
from neuroglia.cloud_events.handlers import InboundTypes
from neuroglia.cloud_events.messages import Received, data_of, dump, load
from neuroglia.core.context import Principal, RequestContext, current_context
from neuroglia.core.errors import ConcurrencyError, FieldError, InvalidRequest, MalformedRequest, Unavailable
from neuroglia.core.ids import derived_id
from neuroglia.core.validation import misfits
from neuroglia.dependency_injection import Scope, ServiceProvider
from neuroglia.documents import WORK_ITEMS, DocumentStore, Session, WorkItem
from neuroglia.documents.workers import Workers
from neuroglia.event_sourcing import EventStore
from neuroglia.mvc.bodies import is_json

_QUEUE: Final = "inbox"
_WORKERS: Final = 8


class Inbox(Workers):
    """One row for each source and id. It is kept for ever, for it tells from which log position on the effects of the
    event stand, however often it comes again."""

    keeps = True

    def __init__(
        self, provider: ServiceProvider, documents: DocumentStore, options: CloudEventOptions, inbound: InboundTypes
    ) -> None:
        super().__init__(provider, _QUEUE, workers=_WORKERS, lease_seconds=options.lease_seconds)
        self._documents = documents
        self._inbound = inbound

    async def accept(self, received: Sequence[Received]) -> Sequence[CloudEvent]:
        """Notes the events of one message, all or none, and returns when that is durable, with all that are new as far
        as anybody knows. What nobody here listens to is not noted.

        Raises:
            InvalidRequest: data does not fit its type.
        """
        wanted = [one for one in received if one.event.get_type() in self._inbound]
        if errors := [error for one in wanted for error in self._misfits(one)]:
            raise InvalidRequest(errors)
        known = await self._note([one.event for one in wanted]) if wanted else ()
        self.wake()
        return [one.event for one in received if one.event not in known]

    def _misfits(self, received: Received) -> Sequence[FieldError]:
        event, pointer = received
        if not is_json(event.get_datacontenttype() or "application/json"):
            return [FieldError(pointer, "media-type", "The data of this type of event is JSON.")]
        try:
            self._inbound[event.get_type()].codec.decode(data_of(event))
        except ValidationError as error:
            return misfits(error, at=pointer)
        except ValueError:
            raise MalformedRequest("The data is not valid JSON.") from None
        return ()

    @tenacity.retry(retry=tenacity.retry_if_exception_type(ConcurrencyError))  # its twin came at the same time
    async def _note(self, events: Sequence[CloudEvent]) -> AbstractSet[CloudEvent]:
        """Returns those that were noted before."""
        head = await (await self._provider.get(EventStore)).head() if self._provider.has(EventStore) else None
        session, context, known = Session(self._documents), current_context(), set[CloudEvent]()
        for event in events:
            row_id = derived_id(_QUEUE, event.get_source(), event.get_id())
            if await session.get(WORK_ITEMS, row_id) is not None:
                known.add(event)
                continue
            named = event.get_attributes()
            kept = RequestContext.new(
                str(named.get("correlationid", context.correlation_id)),
                traceparent=str(named.get("traceparent", context.traceparent)),
            )
            body: dict[str, JsonValue] = {
                "event": dump(event), "since": head,
                "correlation_id": kept.correlation_id, "traceparent": kept.traceparent,
            }  # fmt: skip
            session.save(WORK_ITEMS, WorkItem(id=row_id, queue=_QUEUE, due=self._queue.now(), body=body))
        await session.commit()
        return known

    @override
    def _context(self, item: WorkItem) -> RequestContext:
        row = cast("dict[str, Any]", item.body)
        event = load(row["event"])
        return RequestContext(
            correlation_id=row["correlation_id"], causation_id=event.get_id(), traceparent=row["traceparent"],
            principal=Principal.system(_QUEUE), since=row["since"],
            command_id=derived_id(event.get_source(), event.get_id()),
        )  # fmt: skip

    @override
    async def _perform(self, item: WorkItem, scope: Scope) -> None:
        event = load(str(item.body["event"]))
        inbound = self._inbound.get(event.get_type())
        if inbound is None:  # while versions change: another one listens to it
            raise Unavailable(f"nobody here handles {event.get_type()}")
        await (await scope.get(inbound.handler)).handle(inbound.codec.decode(data_of(event)))
