"""Where telemetry goes: over OTLP/HTTP to a collector, which may be slow or gone without anybody noticing."""

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final, cast

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from typing_extensions import override

from neuroglia.core.errors import ConfigurationError
from neuroglia.core.ids import SystemIds
from neuroglia.core.lifecycle import HostedService
from neuroglia.observability.gauges import Gauges
from neuroglia.observability.spans import Providers

_FLUSH_S: Final = 3.0
"""So long the last spans and metrics may take at the end; then they are lost."""


def connect(service: str, endpoint: str) -> Providers:
    """Exports in the background once it has begun, from queues that drop what does not fit. All else that the `OTEL_*`
    variables say is read by the SDK.

    Raises:
        ConfigurationError: they want another protocol.
    """
    if (protocol := os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")) != "http/protobuf":
        raise ConfigurationError(f"OTEL_EXPORTER_OTLP_PROTOCOL: {protocol} is not spoken here; use http/protobuf")

    def to(signal: str) -> str:
        return os.environ.get(f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT") or f"{endpoint.rstrip('/')}/v1/{signal}"

    named = Resource.create({"service.name": service, "service.instance.id": SystemIds().new()})
    resource = named.merge(OTELResourceDetector().detect())  # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win
    tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
    meters = MeterProvider(resource=resource, shutdown_on_exit=False)

    def begin() -> Sequence[Callable[[], None]]:
        tracers.add_span_processor(spans := BatchSpanProcessor(OTLPSpanExporter(to("traces"))))
        meters.add_metric_reader(metrics := PeriodicExportingMetricReader(OTLPMetricExporter(to("metrics"))))
        return spans.shutdown, cast("Any", metrics).shutdown  # a provider does not end a reader that was added

    return Providers(tracers, meters, begin)


class Exports(HostedService):
    """Looks at the gauges as long as the application runs, and sends the last of all that was told."""

    def __init__(self, gauges: Gauges, providers: Providers) -> None:
        self._gauges, self._providers = gauges, providers

    @override
    async def start(self) -> None:
        self._ends = self._providers.begin()
        every = float(os.environ.get("OTEL_METRIC_EXPORT_INTERVAL") or 60_000) / 1000
        self._watching = asyncio.create_task(self._gauges.watch(every), name="gauges")

    @override
    async def stop(self) -> None:
        self._watching.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(_FLUSH_S):
                await asyncio.gather(self._watching, *map(_apart, self._ends), return_exceptions=True)


async def _apart(work: Callable[[], None]) -> None:
    """Waits for what blocks, in a thread that may be left behind: nobody waits for it at the end of the process."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def run() -> None:
        try:
            work()
        finally:
            with suppress(RuntimeError):  # nobody waits any more
                loop.call_soon_threadsafe(done.set)

    threading.Thread(target=run, daemon=True).start()
    await done.wait()
