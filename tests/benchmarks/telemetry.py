"""Telemetry: a request that is told, in spans and metrics to a collector, beside the same one while it is off; and what
the seam costs while it is off, beside what would stand there without it. A request passes no more of it than
`entering`: commands and queries are told by a behaviour that is not there while it is off."""

import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from neuroglia.core import RequestContext, use_context
from neuroglia.core.context import switch_context
from neuroglia.observability import OFF
from tests.benchmarks.harness import Figure, compare, in_turns
from tests.benchmarks.http import rate, start
from tests.support.collector import collecting
from tests.support.issuer import local_issuer

_ROUNDS = 40
_CONNECTIONS = 16
_TIMES = 100_000
_CONTEXT = RequestContext.new(traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")


def measure() -> Sequence[Figure]:
    return [_on_beside_off(), *_off_beside_none()]


def _on_beside_off() -> Figure:
    with ExitStack() as servers:
        servers.enter_context(local_issuer(Path(servers.enter_context(tempfile.TemporaryDirectory()))))
        collector = servers.enter_context(collecting())
        ports = [start(servers, "mediated", **told) for told in ({"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}, {})]
        on, off = in_turns([rate(port, _CONNECTIONS) for port in ports], _ROUNDS)
    return compare(f"POST, controller + mediator, {_CONNECTIONS} conn., telemetry on | off", on, off)


def _off_beside_none() -> Sequence[Figure]:
    with use_context(_CONTEXT):  # which the others switch to
        seam = [_in_a_second(times) for times in (_handled, _switched, _appended, _looked_up)]
        handled, switched, appended, looked_up = in_turns(seam, _ROUNDS)
    return [
        compare("one message handled, telemetry off | context switched alone", handled, switched),
        compare("one append, telemetry off | traceparent looked up alone", appended, looked_up),
    ]


def _in_a_second(some: Callable[[], object]) -> Callable[[], float]:
    """A subject that does something `_TIMES` times."""

    def measure() -> float:
        start = time.perf_counter()
        some()
        return _TIMES / (time.perf_counter() - start)

    return measure


def _handled() -> None:
    for _ in range(_TIMES):
        with OFF.handling("jobs", "1", _CONTEXT, type="happened"):
            pass


def _switched() -> None:
    for _ in range(_TIMES):
        switch_context(_CONTEXT)


def _appended() -> str | None:
    recorded = None
    for _ in range(_TIMES):
        with OFF.appending("account", 1, _CONTEXT) as traceparent:
            recorded = traceparent
    return recorded


def _looked_up() -> str | None:
    recorded = None
    for _ in range(_TIMES):
        recorded = _CONTEXT.traceparent
    return recorded
