"""A collector of telemetry: a real server that takes OTLP over HTTP and remembers it, on loopback unless told where."""

import gzip
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from typing import Any, cast

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from deployment.neighbour import Neighbour, Quiet, at_home
from deployment.processes import until

_SECONDS = 30.0


@dataclass(frozen=True)
class Span:
    """A span as it came."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent: str
    attributes: dict[str, Any]


class Collector(Neighbour):
    """Where it is, and what it was told.

    Attributes:
        spans: all of them.
        metrics: of each name the latest points, with their attributes.
        answers: while it is clear, what comes waits for its answer.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__((host, port), _Receiver)
        self.url = f"http://{host}:{self.server_port}"
        self.spans: list[Span] = []
        self.metrics: dict[str, list[tuple[dict[str, Any], Any]]] = {}
        self.answers = threading.Event()
        self.answers.set()
        self.asked = 0

    def of(self, trace: str, name: str | None = None) -> Sequence[Span]:
        """The spans of a trace, or those with a name."""
        return [span for span in self.spans if span.trace_id == trace and name in {None, span.name}]

    def has(self, trace: str, *names: str) -> Sequence[Span]:
        """All spans of a trace, once there is one with each of these names.

        Raises:
            TimeoutError: one of them does not come.
        """
        missing = set(names)

        def all_there() -> bool:
            missing.difference_update(span.name for span in self.of(trace))
            return not missing

        try:
            until(all_there, "the spans", _SECONDS)
        except TimeoutError:
            raise TimeoutError(f"{missing} have not come: {[span.name for span in self.of(trace)]}") from None
        return self.of(trace)

    def take_spans(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = _values(resource.resource.attributes)["service.name"]
            self.spans += [
                Span(
                    service, span.name, span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(),
                    _values(span.attributes),
                )
                for scope in resource.scope_spans
                for span in scope.spans
            ]  # fmt: skip

    def take_metrics(self, body: bytes) -> None:
        for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
            for metric in (metric for scope in resource.scope_metrics for metric in scope.metrics):
                points = getattr(metric, str(metric.WhichOneof("data"))).data_points
                self.metrics[metric.name] = [(_values(point.attributes), point) for point in points]


class _Receiver(Quiet, BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        collector = cast("Collector", self.server)
        body = self.rfile.read(int(self.headers["content-length"]))
        collector.asked += 1
        collector.answers.wait()
        take = {"/v1/traces": collector.take_spans, "/v1/metrics": collector.take_metrics}[self.path]
        take(gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()


def _values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in attributes}


@contextmanager
def collecting() -> Generator[Collector]:
    """One that listens until the end."""
    with at_home(Collector()) as collector:
        try:
            yield collector
        finally:
            collector.answers.set()
