"""One trace goes from the request through all that follows from it."""

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id

from neuroglia.event_sourcing import EventStore
from tests.framework.observability.world import CALLER, TRACE, TRACED, Watched, watched


def trace_of(span: ReadableSpan) -> str:
    return format_trace_id(span.context.trace_id)


def parent_of(span: ReadableSpan) -> str | None:
    return None if span.parent is None else format_span_id(span.parent.span_id)


def id_of(span: ReadableSpan) -> str:
    return format_span_id(span.context.span_id)


async def test_given_a_caller_s_trace_when_a_parcel_is_posted_then_all_that_follows_belongs_to_it(
    parcels: Watched,
) -> None:
    answer = await parcels.service.client.post("/api/v1/parcels?to=ada", headers=TRACED)
    await parcels.has("process jobs")
    assert answer.status_code == 201
    for s in parcels.spans():
        print(s.name, s.kind, trace_of(s), id_of(s), parent_of(s), dict(s.attributes or {}))
    assert False
