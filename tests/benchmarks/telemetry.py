"""Telemetry: a request that is told, in spans and metrics to a collector, beside the same one while it is off."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks.harness import Figure, compare, in_turns
from tests.benchmarks.http import rate, start
from tests.support.collector import collecting
from tests.support.issuer import local_issuer

_ROUNDS = 40
_CONNECTIONS = 16


def measure() -> Sequence[Figure]:
    with ExitStack() as servers:
        servers.enter_context(local_issuer(Path(servers.enter_context(tempfile.TemporaryDirectory()))))
        collector = servers.enter_context(collecting())
        ports = [start(servers, "mediated", **told) for told in ({"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}, {})]
        on, off = in_turns([rate(port, _CONNECTIONS) for port in ports], _ROUNDS)
    return [compare(f"POST, controller + mediator, {_CONNECTIONS} conn., telemetry on | off", on, off)]
