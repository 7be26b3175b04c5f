"""What a service tells of its work: traces and metrics, by OpenTelemetry.

`tracing` is the seam that the other packages know. All else needs the extra `neuroglia[observability]`, and is imported
when telemetry is on.
"""

from neuroglia.observability.tracing import OFF as OFF, Tracing as Tracing, trace_headers as trace_headers
