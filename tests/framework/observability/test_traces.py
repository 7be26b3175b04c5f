"""One trace goes from the request through all that follows from it, and tells nothing that is nobody's business."""

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id

from neuroglia.core import Clock, RequestContext, use_context
from neuroglia.core.context import ambient_context
from neuroglia.event_sourcing import EventMetadata, EventStore, NewEvent
from neuroglia.hosting import WebApplicationBuilder
from neuroglia.hosting.logging import configure_logging
from neuroglia.observability import OFF, trace_headers
from neuroglia.testing import FixedClock
from tests.framework.observability.parcels import Parcel, ParcelSettings, Posted, Weigh, create_builder
from tests.framework.observability.world import CALLER, TRACE, TRACED, Watched, watched
from tests.support.sink import sink
from tests.support.waiting import eventually

pytestmark = pytest.mark.service

PARCELS = "/api/v1/parcels"
CLEARED = {
    "specversion": "1.0", "id": "1", "source": "/customs", "type": "io.customs.cleared.v1", "data": {"parcel_id": "p"},
}  # fmt: skip
STRUCTURED = {"content-type": "application/cloudevents+json"}


def id_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return format_span_id(span.context.span_id)


def parent_of(span: ReadableSpan) -> str | None:
    return None if span.parent is None else format_span_id(span.parent.span_id)


def traces(spans: list[ReadableSpan]) -> set[str]:
    return {format_trace_id(span.context.trace_id) for span in spans if span.context is not None}


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


async def test_given_a_caller_s_trace_when_a_parcel_is_posted_then_all_that_follows_belongs_to_it() -> None:
    async with sink() as outside, watched(cloud_events_sink=outside.url) as parcels:
        answer = await parcels.service.client.post(f"{PARCELS}?to=ada", headers=TRACED)
        (job,) = await parcels.has("process jobs")
        (told,) = await outside.has(1)
        (publishing,) = await parcels.has("process cloud-events")
        await parcels.has("process ParcelProjection", 2)
        spans = list(parcels.spans())

        assert answer.status_code == 201
        assert traces(spans) == {TRACE}
        server, posted = parcels.span("POST /api/v1/parcels"), parcels.span("Post")
        stepped, stamped = parcels.span("process Counter"), parcels.span("Stamp")
        weighing = parcels.span("process Scales")
        posting, stamping = parcels.spans("append parcel")
        first, second = parcels.spans("process ParcelProjection")
        lines = [
            (None, server), (server, posted), (posted, posting), (posting, first), (posting, stepped),
            (stepped, stamped), (stamped, stamping), (stamping, second), (stamping, publishing), (stamping, weighing),
            (weighing, job),
        ]  # fmt: skip
        assert [parent_of(span) for _, span in lines] == [id_of(parent) if parent else CALLER for parent, _ in lines]
        assert len(lines) == len(spans)
        assert [told["traceparent"]] == outside.traces == [f"00-{TRACE}-{id_of(publishing)}-01"]
        stored = (await (await parcels.service.services.get(EventStore)).read_all()).events
        assert [event.traceparent for event in stored] == [f"00-{TRACE}-{id_of(one)}-01" for one in (posting, stamping)]


async def test_spans_are_named_as_the_conventions_say(parcels: Watched) -> None:
    await parcels.service.client.post(f"{PARCELS}?to=ada")
    (job,) = await parcels.has("process jobs")

    assert parcels.span("POST /api/v1/parcels").kind is SpanKind.SERVER
    assert attributes(parcels.span("POST /api/v1/parcels"))["http.response.status_code"] == 201
    appended, handled = parcels.spans("append parcel")[0], parcels.spans("process ParcelProjection")[0]
    event = (await (await parcels.service.services.get(EventStore)).read_all()).events[0]
    messaging = {"messaging.system": "neuroglia", "neuroglia.outcome": "done"}
    assert (appended.kind, handled.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert attributes(appended) == messaging | {
        "messaging.operation.name": "append", "messaging.operation.type": "send",
        "messaging.destination.name": "parcel", "messaging.batch.message_count": 1,
    }  # fmt: skip
    processing = messaging | {"messaging.operation.name": "process", "messaging.operation.type": "process"}
    assert attributes(handled) == processing | {
        "messaging.destination.name": "ParcelProjection",
        "messaging.message.id": event.id, "neuroglia.event.type": "parcels.posted.v1",
    }  # fmt: skip
    assert attributes(job)["neuroglia.task"] == "weigh"
    assert {span.status.status_code for span in parcels.spans()} == {StatusCode.UNSET}


async def test_a_request_without_a_trace_begins_one(parcels: Watched) -> None:
    for _ in range(2):
        await parcels.service.client.post(f"{PARCELS}?to=ada")
    await parcels.has("process jobs", 2)

    servers = list(parcels.spans("POST /api/v1/parcels"))
    assert [span.parent for span in servers] == [None, None]
    assert traces(servers) == traces(list(parcels.spans()))
    assert len(traces(servers)) == 2


async def test_an_event_of_another_service_is_handled_in_its_own_trace(parcels: Watched) -> None:
    await parcels.service.happened(Parcel, "p", Posted(to="ada"))
    await parcels.service.client.post("/api/v1/cloudevents", json=CLEARED | TRACED, headers=STRUCTURED)

    (handled,) = await parcels.has("process inbox")

    assert (parent_of(handled), traces([handled])) == (CALLER, {TRACE})
    assert id_of(handled) in {parent_of(span) for span in parcels.spans("Stamp")}


async def test_a_refusal_is_an_answer_and_a_failure_is_an_error_of_which_the_type_alone_is_told(
    parcels: Watched,
) -> None:
    await parcels.service.client.post(f"{PARCELS}?to=ada")
    await parcels.has("process jobs")
    sent = (await (await parcels.service.services.get(EventStore)).read_all()).events[0].stream.partition("-")[2]
    await parcels.service.client.post(f"{PARCELS}/{sent}/stamps")
    refused = parcels.spans("Stamp")[-1]

    await parcels.service.client.post(f"{PARCELS}?to=nowhere")
    failed, stepped = (await parcels.has("Stamp", 3))[-1], (await parcels.has("process Counter", 2))[-1]

    assert (refused.status.status_code, attributes(refused)["neuroglia.outcome"]) == (
        StatusCode.UNSET,
        "already-stamped",
    )
    for span in (failed, stepped):
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
        assert (attributes(span)["error.type"], attributes(span)["neuroglia.outcome"]) == ("ValueError", "failed")
        assert "nobody lives at" not in span.to_json()


async def test_probes_are_not_told(parcels: Watched) -> None:
    for path in ("/health/live", "/health/ready"):
        assert (await parcels.service.client.get(path)).status_code == 200

    assert list(parcels.spans()) == []


@pytest.mark.parametrize(("age", "spans"), [(timedelta(minutes=59), 1), (timedelta(minutes=61), 0)])
async def test_an_event_that_is_long_past_is_handled_without_a_span(age: timedelta, spans: int) -> None:
    clock = FixedClock()

    def at_that_time(builder: WebApplicationBuilder) -> None:
        builder.services.add_instance(Clock, clock)

    async with watched(at_that_time) as parcels:
        metadata = EventMetadata(
            recorded_at=clock.now() - age, correlation_id="c", causation_id=None, actor="a", **TRACED
        )
        posted = NewEvent(id="1" * 8, type="parcels.posted.v1", data=b'{"to": "ada"}', metadata=metadata)
        await (await parcels.service.services.get(EventStore)).append("parcel-p", [posted], -1)
        await parcels.service.settle()

        assert len(parcels.spans("process Counter")) == spans
        assert (await parcels.service.client.get(f"{PARCELS}/p")).json() == {"id": "p", "stamped": True}
        assert len(parcels.points("messaging.process.duration", messaging_destination_name="Counter")) == 1
        assert traces(list(parcels.spans("Stamp"))) == {TRACE}


async def test_given_an_event_of_a_stranger_with_a_broken_trace_then_it_is_handled_in_a_new_one(
    parcels: Watched,
) -> None:
    clock = await parcels.service.services.get(Clock)
    metadata = EventMetadata(
        recorded_at=clock.now(), correlation_id="c", causation_id=None, actor="a", traceparent="00-\r\nx"
    )
    posted = NewEvent(id="1" * 8, type="parcels.posted.v1", data=b'{"to": "ada"}', metadata=metadata)
    await (await parcels.service.services.get(EventStore)).append("parcel-p", [posted], -1)

    (job,) = await parcels.has("process jobs")

    assert parcels.span("process Counter").parent is None
    assert job.parent is not None


async def test_while_nobody_looks_the_context_of_a_message_is_as_it_came() -> None:
    context = RequestContext.new(**TRACED)
    with use_context(RequestContext.new()), OFF.handling("q", "1", context):
        assert ambient_context() is context
        assert trace_headers() == TRACED
    with OFF.appending("parcel-p", 1, context) as recorded:
        assert recorded == TRACED["traceparent"]
    assert OFF.entering(TRACED["traceparent"]) == TRACED["traceparent"]
    assert ambient_context() is None


@pytest.mark.parametrize("traceparent", [None, "00-\r\nx: y", ""])
def test_a_request_to_the_outside_carries_no_trace_that_is_none(traceparent: str | None) -> None:
    with use_context(RequestContext(correlation_id="c", traceparent=traceparent)):
        assert trace_headers() == {}
    assert trace_headers() == {}


async def test_given_a_disabled_sdk_then_the_caller_s_trace_goes_through_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    async with sink() as outside, watched(cloud_events_sink=outside.url) as parcels:
        await parcels.service.client.post(f"{PARCELS}?to=ada", headers=TRACED)
        (told,) = await outside.has(1)

        assert told["traceparent"] == TRACED["traceparent"]
        assert list(parcels.spans()) == []


def test_a_service_that_is_only_built_sends_nothing_yet() -> None:
    before = threading.active_count()

    create_builder(ParcelSettings(otel_exporter_otlp_endpoint="http://127.0.0.1:9")).build()

    assert threading.active_count() == before


@pytest.mark.usefixtures("restored")
async def test_a_failed_job_is_logged_with_its_trace(
    parcels: Watched, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run(self: Weigh, arguments: str) -> None:
        raise ValueError(arguments)

    monkeypatch.setattr(Weigh, "run", run)
    configure_logging("INFO")
    await parcels.service.client.post(f"{PARCELS}?to=ada", headers=TRACED)
    lines: list[dict[str, Any]] = []

    async def told() -> bool:
        lines.extend(json.loads(line) for line in capsys.readouterr().out.splitlines())
        return any(line["message"] == "work failed" for line in lines)

    await eventually(told)
    failed = next(line for line in lines if line["message"] == "work failed")
    assert (failed["trace_id"], failed["exc_info"].partition(":")[0]) == (TRACE, "ValueError")
    assert parcels.spans("process jobs")[0].status.status_code is StatusCode.ERROR
