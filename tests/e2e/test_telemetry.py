"""One trace over containers, and the collector is told it by every sample."""

import secrets
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from deployment.processes import until
from tests.e2e.system import SAMPLES, System
from tests.integration.test_openbank_process import PERSON

pytestmark = pytest.mark.e2e
LIMIT_S = 60.0
READS = {
    "desktop-controller": ("desktop:read", "/api/v1/commands/catalogue"),
    "api-gateway": ("gateway:admin", "/api/v1/api-keys"),
}


def test_a_trace_goes_from_a_request_to_the_cloud_event_and_the_collector_is_told_by_every_sample(
    running: System, overrides: Sequence[str]
) -> None:
    if "stand-ins" not in overrides:
        pytest.skip("Grafana shows its spans otherwise than our stand-in")
    trace = secrets.token_hex(16)
    traced = {"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01"}

    def spans() -> list[dict[str, Any]]:
        shown = httpx.get(running.url("telemetry"), trust_env=False).raise_for_status().json()
        return [span for span in shown if span["trace_id"] == trace]

    def has(service: str, *names: str) -> bool:
        return {*names} <= {span["name"] for span in spans() if span["service"] == service}

    with running.client("openbank", "bank:write") as bank:
        assert bank.post("/api/v1/persons", json=PERSON, headers=traced).status_code == 201
    for sample, (scope, path) in READS.items():
        with running.client(sample, scope) as client:
            assert client.get(path, headers=traced).status_code == 200

    handled = "POST /api/v1/persons", "append person", "process AccountProjection", "process cloud-events"
    until(lambda: has("openbank", *handled), "the bank's spans", LIMIT_S)
    for sample, (_, path) in READS.items():
        until(lambda sample=sample, path=path: has(sample, f"GET {path}"), f"the span of {sample}", LIMIT_S)
    assert {span["service"] for span in spans()} == SAMPLES.keys()
    (told,) = [event for event in running.events() if event.get("traceparent", "")[3:35] == trace]
    assert told["type"] == "io.openbank.person-registered.v1"
    (publishing,) = [span for span in spans() if span["name"] == "process cloud-events"]
    assert told["traceparent"] == f"00-{trace}-{publishing['span_id']}-01"
