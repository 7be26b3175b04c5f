"""Spans and what is measured with them, named as OpenTelemetry's semantic conventions for messaging say (1.44).

A span tells names, ids and the types of errors. It never tells what is in messages, nor what exceptions say: both may
be personal.
"""

import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, NamedTuple

from opentelemetry.metrics import Histogram
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import (
    INVALID_SPAN,
    Span,
    SpanKind,
    StatusCode,
    format_span_id,
    format_trace_id,
    get_current_span,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from typing_extensions import override

from neuroglia.core.clock import Clock
from neuroglia.core.context import RequestContext, current_context, use_context
from neuroglia.core.errors import ApplicationError, Unavailable
from neuroglia.domain import DomainError
from neuroglia.mediation import Command, PipelineBehavior, Proceed, Request, Stage
from neuroglia.observability.tracing import Tracing

NAME: Final = "neuroglia"
_SECONDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_FOLLOWED: Final = timedelta(hours=1)
"""An older event is handled without a span: nobody looks at its trace any more, and a rebuild takes millions."""
_CARRIER: Final = TraceContextTextMapPropagator()
Attributes = Mapping[str, str | int]


class Providers(NamedTuple):
    """Where spans and metrics of one application go. (Not OpenTelemetry's global ones: there may be two.) `begin`
    is called when it starts, and tells what ends the sending."""

    tracers: TracerProvider
    meters: MeterProvider
    begin: Callable[[], Sequence[Callable[[], None]]] = tuple


class OpenTelemetry(Tracing):
    """Makes a span for each message that is handled and each append, and measures how long they take."""

    def __init__(self, providers: Providers, clock: Clock) -> None:
        self._clock, self._tracer = clock, providers.tracers.get_tracer(NAME)
        self._meter = providers.meters.get_meter(NAME)
        self._handled = self.durations("messaging.process.duration", "handling a message")
        self._appended = self.durations("messaging.client.operation.duration", "appending to a stream")
        self._events = self._meter.create_counter("neuroglia.events.appended", "{event}", "Events appended to the log")

    def durations(self, name: str, of: str) -> Histogram:
        """A measure of how long something takes."""
        about = f"Duration of {of}"
        return self._meter.create_histogram(name, "s", about, explicit_bucket_boundaries_advisory=_SECONDS)

    @override
    def entering(self, traceparent: str | None) -> str | None:
        return traceparent_of(get_current_span()) or traceparent

    @override
    @contextmanager
    def handling(
        self, consumer: str, id: str, context: RequestContext, *, type: str = "", recorded_at: datetime | None = None
    ) -> Generator[object]:
        measured = _messaging("process", "process", consumer)
        if (task := context.principal.id.partition("system:")[2]) not in {"", consumer}:
            measured["neuroglia.task"] = task
        told = {"messaging.message.id": id, **({"neuroglia.event.type": type} if type else {})}
        kind = None if recorded_at and self._clock.now() - recorded_at > _FOLLOWED else SpanKind.CONSUMER
        with self.observed(f"process {consumer}", kind, context, measured, self._handled, told) as inside:
            yield inside

    @override
    @contextmanager
    def appending(self, stream: str, count: int, context: RequestContext) -> Generator[str | None]:
        category = stream.partition("-")[0]
        measured, told = _messaging("append", "send", category), {"messaging.batch.message_count": count}
        with self.observed(f"append {category}", SpanKind.PRODUCER, context, measured, self._appended, told) as inside:
            yield inside.traceparent
        self._events.add(count, {"messaging.destination.name": category})

    @contextmanager
    def observed(
        self, name: str, kind: SpanKind | None, context: RequestContext, measured: dict[str, str | int],
        durations: Histogram, told: Attributes,
    ) -> Generator[RequestContext]:  # fmt: skip
        """Measures a block, in a span of this kind if there shall be one. What follows from the block belongs to it."""
        parent = _CARRIER.extract({"traceparent": context.traceparent}) if context.traceparent else None
        spanned = nullcontext(INVALID_SPAN) if kind is None else self._tracer.start_as_current_span(
            name, parent, kind, {**measured, **told}, record_exception=False, set_status_on_exception=False
        )  # fmt: skip
        start, measured["neuroglia.outcome"] = time.perf_counter(), "done"
        with spanned as span:
            try:
                with use_context(replace(context, traceparent=traceparent_of(span) or context.traceparent)) as own:
                    yield own
            except BaseException as error:
                measured |= _failure(error)
                if "error.type" in measured:
                    span.set_status(StatusCode.ERROR)
                raise
            finally:
                span.set_attributes(measured)
                durations.record(time.perf_counter() - start, measured)


class RequestTelemetry(PipelineBehavior):
    """A span and a duration for each command and query, however it came."""

    stage: ClassVar[Stage] = Stage.TRACE

    def __init__(self, telemetry: OpenTelemetry) -> None:
        self._telemetry = telemetry
        self._commands = telemetry.durations("neuroglia.command.duration", "commands")
        self._queries = telemetry.durations("neuroglia.query.duration", "queries")

    @override
    async def handle(self, request: Request[Any], proceed: Proceed) -> Any:
        name, took = type(request).__name__, self._commands if isinstance(request, Command) else self._queries
        measured: dict[str, str | int] = {"neuroglia.request": name}
        with self._telemetry.observed(name, SpanKind.INTERNAL, current_context(), measured, took, {}):
            return await proceed(request)


def traceparent_of(span: Span) -> str | None:
    """A span as the W3C writes it, in version 00. None: there is no span."""
    known = span.get_span_context()
    ids = f"{format_trace_id(known.trace_id)}-{format_span_id(known.span_id)}"
    return f"00-{ids}-{known.trace_flags:02x}" if known.is_valid else None


def _messaging(name: str, kind: str, destination: str) -> dict[str, str | int]:
    return {
        "messaging.system": NAME, "messaging.operation.name": name, "messaging.operation.type": kind,
        "messaging.destination.name": destination,
    }  # fmt: skip


def _failure(error: BaseException) -> Attributes:
    """A refusal is an answer, with its code as outcome."""
    if isinstance(error, DomainError | ApplicationError) and not isinstance(error, Unavailable):
        return {"neuroglia.outcome": error.code}
    return {"neuroglia.outcome": "failed", "error.type": type(error).__qualname__}
