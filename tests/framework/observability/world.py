"""The service of parcels in this process, and short ways to see what it tells."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from neuroglia.hosting import WebApplicationBuilder
from neuroglia.observability.gauges import Gauges
from neuroglia.observability.spans import Providers
from neuroglia.testing import RunningService, in_memory, running
from tests.framework.observability.parcels import ParcelSettings, create_builder
from tests.support.waiting import eventually

TRACE = "0af7651916cd43dd8448eb211c80319c"
CALLER = "b7ad6b7169203331"
TRACED = {"traceparent": f"00-{TRACE}-{CALLER}-01"}


class Watched:
    """The running service, and what it has told so far."""

    def __init__(self, service: RunningService, spans: InMemorySpanExporter, metrics: InMemoryMetricReader) -> None:
        self.service = service
        self._spans, self._metrics = spans, metrics

    def spans(self, name: str | None = None) -> Sequence[ReadableSpan]:
        """Those that have ended, or those with a name."""
        return [span for span in self._spans.get_finished_spans() if name in {None, span.name}]

    def span(self, name: str) -> ReadableSpan:
        """The only one with this name."""
        (found,) = self.spans(name)
        return found

    async def has(self, name: str, count: int = 1) -> Sequence[ReadableSpan]:
        """The spans with a name, once there are so many."""

        async def there() -> bool:
            return len(self.spans(name)) >= count

        await eventually(there)
        return self.spans(name)

    async def look(self) -> None:
        """Reads the gauges now."""
        await (await self.service.services.get(Gauges)).look()

    def points(self, name: str, **attributes: Any) -> Sequence[Any]:
        """The points of a metric that have these attributes, with `_` for each `.`."""
        data = self._metrics.get_metrics_data()
        metrics = [m for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics] if data else []
        points = [point for metric in metrics if metric.name == name for point in metric.data.data_points]
        wanted = {(name.replace("_", "."), value) for name, value in attributes.items()}
        return [p for p in points if wanted <= {(name.replace("_", "."), v) for name, v in p.attributes.items()}]

    def units(self) -> dict[str, str]:
        """The unit of each metric."""
        data = self._metrics.get_metrics_data()
        assert data is not None
        return {m.name: m.unit for r in data.resource_metrics for s in r.scope_metrics for m in s.metrics}


@asynccontextmanager
async def watched(
    change: Callable[[WebApplicationBuilder], None] = lambda _: None, **settings: Any
) -> AsyncGenerator[Watched]:
    """The service, both stores in memory."""
    told = {"otel_exporter_otlp_endpoint": "http://127.0.0.1:9", "log_level": "ERROR", **settings}
    builder = in_memory(create_builder(ParcelSettings(**told)))
    spans, metrics, tracers = InMemorySpanExporter(), InMemoryMetricReader(), TracerProvider(shutdown_on_exit=False)
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    builder.services.add_instance(Providers, Providers(tracers, MeterProvider([metrics], shutdown_on_exit=False)))
    change(builder)
    async with running(builder.build()) as service:
        yield Watched(service, spans, metrics)
