"""The seam of telemetry: where requests enter, messages are handled and events appended, somebody may look on.

A trace goes on in `RequestContext.traceparent` alone: it is stored with events, jobs and CloudEvents, and restored
where they are handled. So one trace goes through all of them, whether or not this process adds spans to it.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime
from typing import Final

from neuroglia.core.context import TRACEPARENT, RequestContext, ambient_context, switch_context

_NOTHING: Final = nullcontext()


class Tracing:
    """Looks on. This one sees nothing, and costs next to nothing."""

    def entering(self, traceparent: str | None) -> str | None:
        """Where a request belongs that comes from the outside with this traceparent, if with any."""
        return traceparent

    def handling(
        self, consumer: str, id: str, context: RequestContext, *, type: str = "", recorded_at: datetime | None = None
    ) -> AbstractContextManager[object]:
        """Around the handling of one message of a subscription or queue, which runs in this context. It stands in a
        block of `use_context`, or in a task of its own. `type` and `recorded_at` are those of an event, which may be
        read again after years."""
        switch_context(context)
        return _NOTHING

    def appending(self, stream: str, count: int, context: RequestContext) -> AbstractContextManager[str | None]:
        """Around an append to a stream: gives the traceparent that is recorded with the events."""
        return nullcontext(context.traceparent)


OFF: Final = Tracing()


def trace_headers() -> Mapping[str, str]:
    """What a request to another service carries, so that it belongs to the same trace (W3C Trace Context, 3.2)."""
    told = (context.traceparent or "") if (context := ambient_context()) else ""
    return {"traceparent": told} if TRACEPARENT.fullmatch(told) else {}  # an event may be another program's
