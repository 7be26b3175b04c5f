"""Telemetry of real processes: a trace from a POST to all that follows, metrics, logs, and collectors that are gone."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployment.agent.process import acting
from deployment.demo.receiver import receiving
from deployment.demo.sink import Sink, listening
from deployment.issuer.process import issuing
from deployment.processes import ServiceProcess, free_port, serving, until
from tests.integration.test_openbank_process import PERSON
from tests.support.collector import Collector, Span, collecting
from tests.support.engines import Backing
from tests.support.issuer import authorized

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
PARCELS = "tests.framework.observability.parcels"
TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACED = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_METRIC_EXPORT_INTERVAL": "200"}
_SECONDS = 30.0


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture
def sink() -> Iterator[Sink]:
    with listening() as sink:
        yield sink


@contextmanager
def parcels(folder: Path, **environment: str) -> Generator[ServiceProcess]:
    with serving(PARCELS, folder, PYTHONPATH=str(ROOT), **environment) as service:
        yield service


def post(service: ServiceProcess, path: str, headers: dict[str, str] | None = None, **more: Any) -> httpx.Response:
    with httpx.Client(base_url=f"{service.url}/api/v1", trust_env=False, timeout=30) as http:
        return http.post(path, headers={**authorized(), **(headers or {})}, **more).raise_for_status()


def parents(spans: Sequence[Span]) -> dict[str, set[str]]:
    """What is directly below what, by names."""
    names = {span.span_id: span.name for span in spans} | {CALLER: "the caller"}
    return {name: {names[span.parent] for span in spans if span.name == name} for name in {span.name for span in spans}}


def test_one_trace_id_goes_from_a_post_to_the_projection_the_cloud_event_and_the_job(
    tmp_path: Path, backing: Backing, collector: Collector, sink: Sink
) -> None:
    told = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "CLOUD_EVENTS_SINK": sink.url, **SOON, **backing.environment}
    with parcels(tmp_path / "parcels", **told) as service:
        answer = post(service, "/parcels?to=ada", TRACED)
        wanted = "process jobs", "process cloud-events", "process ParcelProjection", "process Scales", "Stamp"
        spans = collector.has(TRACE, *wanted)
        until(lambda: bool(sink.heard), "the CloudEvent", _SECONDS)
        lines = service.lines

    assert answer.status_code == 201
    assert parents(spans) == {
        "POST /api/v1/parcels": {"the caller"},
        "Post": {"POST /api/v1/parcels"},
        "append parcel": {"Post", "Stamp"},
        "process ParcelProjection": {"append parcel"},
        "process Counter": {"append parcel"},
        "Stamp": {"process Counter"},
        "process cloud-events": {"append parcel"},
        "process Scales": {"append parcel"},
        "process jobs": {"process Scales"},
    }
    assert {span.service for span in spans} == {"parcels"}
    (event,) = sink.heard
    (publishing,) = collector.of(TRACE, "process cloud-events")
    assert event["traceparent"] == f"00-{TRACE}-{publishing.span_id}-01"
    ids = {span.span_id for span in spans}
    traced = [line for line in lines if line.get("trace_id") == TRACE]
    assert {line["message"] for line in traced} >= {"request", "handled"}
    assert {line["span_id"] for line in traced} <= ids


def test_openbank_s_transfer_is_one_trace_and_its_metrics_arrive(
    tmp_path: Path, backing: Backing, collector: Collector, sink: Sink
) -> None:
    told = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "CLOUD_EVENTS_SINK": sink.url, **SOON, **backing.environment}
    with serving("openbank", tmp_path / "bank", **told) as bank:
        owner = post(bank, "/persons", json=PERSON).json()["id"]
        sender, receiver = (post(bank, "/accounts", json={"owner_id": owner}).json()["id"] for _ in range(2))
        post(bank, "/transactions/deposits", json={"account_id": sender, "amount": "10.00"})
        transfer = {"from_account_id": sender, "to_account_id": receiver, "amount": "1.00"}
        post(bank, "/transfers", TRACED, json=transfer)
        until(
            lambda: any(event["type"] == "io.openbank.transfer-completed.v1" for event in sink.heard),
            "the end of the transfer", _SECONDS,
        )  # fmt: skip
        handled = "process TransferProcess", "process AccountProjection", "process cloud-events"
        spans = collector.has(TRACE, "POST /api/v1/transfers", "append transfer", "append bank_account", *handled)
        measured = {"neuroglia.subscription.lag", "neuroglia.subscription.parked", "neuroglia.queue.depth"}
        until(lambda: measured <= collector.metrics.keys(), f"the gauges: {collector.metrics.keys()}", _SECONDS)

    traced = [event for event in sink.heard if event.get("traceparent", "")[3:35] == TRACE]
    assert {event["type"] for event in traced} >= {
        f"io.openbank.{name}.v1"
        for name in ("transfer-requested", "money-withdrawn", "money-deposited", "transfer-completed")
    }
    assert {span.service for span in spans} == {"openbank"}
    outcomes = {
        labels["neuroglia.request"]: labels["neuroglia.outcome"]
        for labels, _ in collector.metrics["neuroglia.command.duration"]
    }
    assert outcomes["RequestTransfer"] == "done"
    appended = {
        labels["messaging.destination.name"]: point.as_int
        for labels, point in collector.metrics["neuroglia.events.appended"]
    }
    assert (appended["person"], appended["bank_account"]) == (1, 5)
    assert appended["transfer"] >= 3  # two events may lead to the same step, whose append is then repeated
    routes = {labels["http.route"] for labels, _ in collector.metrics["http.server.request.duration"]}
    assert routes == {f"/api/v1/{path}" for path in ("persons", "accounts", "transactions/deposits", "transfers")}


@pytest.mark.parametrize("genai", ["echo", "agent"])
def test_the_gateway_s_prompt_is_one_trace_from_its_post_to_the_callback(
    genai: str, tmp_path: Path, collector: Collector, sink: Sink
) -> None:
    port = free_port()
    with ExitStack() as stack:
        receiver = stack.enter_context(receiving())
        clients = {"administrator": ["gateway:admin"], "agent": ["prompts:respond"]}
        issuer = stack.enter_context(issuing(tmp_path / "issuer", clients))
        told = {
            "OAUTH2_ISSUER": issuer.url, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "CLOUD_EVENTS_SINK": sink.url, "OUTGOING_ALLOW_HTTP": "true", "OUTGOING_PORTS": "1024-65535",
            "OUTGOING_ALLOWED_NETWORKS": "127.0.0.1/32", **SOON,
        }  # fmt: skip
        if genai == "agent":
            agent = stack.enter_context(acting(tmp_path / "agent", f"http://127.0.0.1:{port}", issuer))
            told["GENAI_URL"] = agent.genai_url
        gateway = stack.enter_context(serving("api_gateway", tmp_path / "gateway", port=port, **told))
        terms = {"caller_id": "partner", "permissions": ["prompts:create"], "rate_limit": "100/minute"}
        admin = {"Authorization": f"Bearer {issuer.token('administrator')}"}
        issued = post(gateway, "/api-keys", admin, json=terms).json()
        receiver.secrets.append(issued["callback_secret"])
        url = f"{gateway.url}/api/v1/prompts"
        headers = {"X-API-Key": issued["secret"], **TRACED}
        body = {"kind": "item", "context": {}, "callback_url": receiver.url}
        assert httpx.post(url, json=body, headers=headers, trust_env=False).status_code == 201

        steps = "received", "data-processed", "submitted", "response-received", "responded"
        kinds = {f"gateway.prompt-{step}.v1" for step in steps}
        until(lambda: kinds <= {event["type"] for event in sink.heard}, "the CloudEvents", _SECONDS)
        answered = {"POST /api/v1/internal/prompts/{prompt_id}/response"} if genai == "agent" else set[str]()
        handled = "POST /api/v1/prompts", "process jobs", "process outbox", "RecordDelivery"
        collector.has(TRACE, *handled, *answered)
        jobs = {"prepare-prompt", "submit-prompt", "call-back"}

        def tasks() -> dict[str, Span]:
            return {span.attributes["neuroglia.task"]: span for span in collector.of(TRACE, "process jobs")}

        until(lambda: jobs <= tasks().keys(), f"the jobs: {tasks().keys()}", _SECONDS)

    prompts = [event for event in sink.heard if event["type"].startswith("gateway.prompt-")]
    assert {event["traceparent"][3:35] for event in prompts} == {TRACE}
    (callback,) = receiver.callbacks
    assert callback.headers["traceparent"] == f"00-{TRACE}-{tasks()['call-back'].span_id}-01"
    below = parents(collector.of(TRACE))
    assert "the caller" in below["POST /api/v1/prompts"]
    for answer in answered:
        assert below[answer] == {"process jobs"}
        (span,) = collector.of(TRACE, answer)
        assert span.parent == tasks()["submit-prompt"].span_id


@pytest.mark.parametrize("silent", [False, True], ids=["that is not there", "that never answers"])
def test_a_collector_disturbs_nobody(silent: bool, tmp_path: Path, collector: Collector) -> None:
    collector.answers.clear()
    url = collector.url if silent else f"http://127.0.0.1:{free_port()}"
    queue = {"OTEL_BSP_MAX_QUEUE_SIZE": "8", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "4"}  # full at once
    with parcels(tmp_path / "parcels", OTEL_EXPORTER_OTLP_ENDPOINT=url, **SOON, **queue) as service:
        for _ in range(20):
            assert post(service, "/parcels?to=ada", TRACED).status_code == 201
        if silent:
            until(lambda: collector.asked > 0, "an export", _SECONDS)
        assert httpx.get(f"{service.url}/health/ready", trust_env=False).status_code == 200
        assert service.terminate() == -signal.SIGTERM  # within its limit, though the last spans cannot be sent
        errors = {line["logger"] for line in service.lines if line["level"] in {"ERROR", "CRITICAL"}}

    assert {name.partition(".")[0] for name in errors} <= {"opentelemetry"}
    assert service.stderr.read_text() == ""


def test_what_was_told_last_arrives_before_the_end(tmp_path: Path, collector: Collector) -> None:
    seldom = {"OTEL_BSP_SCHEDULE_DELAY": "600000", "OTEL_METRIC_EXPORT_INTERVAL": "600000"}
    with parcels(tmp_path / "parcels", OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, **seldom) as service:
        post(service, "/parcels?to=ada", TRACED)
        assert collector.spans == []
        assert service.terminate() == -signal.SIGTERM

    assert {"POST /api/v1/parcels", "Post", "append parcel"} <= {span.name for span in collector.of(TRACE)}
    assert "neuroglia.command.duration" in collector.metrics


def test_the_variables_of_opentelemetry_are_heard(tmp_path: Path, collector: Collector) -> None:
    told = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_SERVICE_NAME": "renamed",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip", "OTEL_TRACES_SAMPLER": "parentbased_always_off", **SOON,
    }  # fmt: skip
    with parcels(tmp_path / "parcels", **told) as service:
        post(service, "/parcels?to=ada")
        post(service, "/parcels?to=ada", TRACED)
        spans = collector.has(TRACE, "process jobs")

    assert {span.service for span in spans} == {"renamed"}
    assert {span.trace_id for span in collector.spans} == {TRACE}


WITHOUT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter")):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
import runpy
runpy.run_module("openbank", run_name="__main__")
"""


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({}, "OTEL_EXPORTER_OTLP_ENDPOINT: install neuroglia[observability] (opentelemetry.exporter is missing)"),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT: URL scheme should be"),
    ],
)
def test_a_start_that_cannot_tell_says_why(told: dict[str, str], why: str, tmp_path: Path) -> None:
    environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "PORT": "0", **told}
    started = subprocess.run(
        [sys.executable, "-c", WITHOUT], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert started.returncode == 1
    assert why in started.stderr


OFF = """
import json, sys
import fastapi
before = {name for name in sys.modules if name.startswith(("opentelemetry", "fastapi.telemetry"))}
from openbank.main import create_app
from openbank.settings import OpenBankSettings
create_app(OpenBankSettings())
loaded = {name for name in sys.modules if name.startswith(("opentelemetry", "fastapi.telemetry"))}
ours = [name for name in sys.modules if name.startswith("neuroglia.observability")]
print(json.dumps([sorted(loaded - before), sorted(before), ours]))
"""


def test_while_it_is_off_nothing_of_it_is_imported(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    ran = subprocess.run(
        [sys.executable, "-c", OFF], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )

    more, fastapi_s_own, ours = json.loads(ran.stdout)
    assert more == []
    assert not [name for name in fastapi_s_own if name.startswith(("opentelemetry.sdk", "opentelemetry.exporter"))]
    assert sorted(ours) == [
        "neuroglia.observability", "neuroglia.observability.tracing",
    ]  # fmt: skip


def test_while_it_is_off_a_caller_s_trace_goes_through_all_the_same(tmp_path: Path, sink: Sink) -> None:
    with parcels(tmp_path / "parcels", CLOUD_EVENTS_SINK=sink.url) as service:
        post(service, "/parcels?to=ada", TRACED)
        until(lambda: bool(sink.heard), "the CloudEvent", _SECONDS)
        lines = service.lines

    assert sink.heard[0]["traceparent"] == TRACED["traceparent"]
    assert {line["span_id"] for line in lines if line.get("trace_id") == TRACE} == {CALLER}
