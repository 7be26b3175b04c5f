"""Registering what makes and sends telemetry."""

from fastapi.telemetry import TelemetryConfig

from neuroglia.core.lifecycle import HostedService
from neuroglia.dependency_injection import ServiceCollection
from neuroglia.mediation import PipelineBehavior
from neuroglia.observability.export import Exports, connect
from neuroglia.observability.gauges import Gauges
from neuroglia.observability.spans import OpenTelemetry, Providers, RequestTelemetry
from neuroglia.observability.tracing import Tracing


def add_telemetry(services: ServiceCollection, service: str, endpoint: str) -> type[HostedService]:
    """Registers all that tells something, to the collector at this endpoint. Returns what is to be hosted before all
    else. A test may register other `Providers`."""
    services.add_singleton(Providers, lambda: connect(service, endpoint))
    services.add_singleton(TelemetryConfig, _of_http)
    services.add_singleton(OpenTelemetry)
    services.add_singleton(Tracing, _tracing)
    services.add_singleton(PipelineBehavior, RequestTelemetry)
    services.add_singleton(Gauges)
    services.add_singleton(Exports)
    return Exports


def _of_http(providers: Providers) -> TelemetryConfig:
    """What FastAPI is to tell: neither of probes, nor what exceptions say."""
    return TelemetryConfig(
        auto_configure=False, tracing=True, metrics=True, logs=False, operation_spans=False,
        tracer_provider=providers.tracers, meter_provider=providers.meters,
        exclude=lambda scope: str(scope.get("path", "")).startswith("/health/"),
    )  # fmt: skip


def _tracing(telemetry: OpenTelemetry) -> Tracing:
    return telemetry
