"""What is measured: how long things take and how they end, how much happens, and what waits."""

import re
from pathlib import Path

import pytest

from neuroglia.core import Unavailable
from neuroglia.documents import DocumentStore
from neuroglia.hosting import WebApplicationBuilder
from neuroglia.observability.gauges import Gauges
from neuroglia.testing.document_store import InMemoryDocumentStore
from tests.framework.observability.world import Watched, watched
from tests.support.waiting import eventually

pytestmark = pytest.mark.service

PARCELS = "/api/v1/parcels"
PAGE = Path(__file__).parents[3] / "framework/README.md"


async def test_commands_and_queries_are_timed_and_counted_by_their_outcome(parcels: Watched) -> None:
    sent = (await parcels.service.client.post(f"{PARCELS}?to=ada")).json()["id"]
    await parcels.has("process jobs")
    for _ in range(2):
        assert (await parcels.service.client.post(f"{PARCELS}/{sent}/stamps")).status_code == 409
    await parcels.service.client.get(f"{PARCELS}/{sent}")

    def count(metric: str, request: str, outcome: str) -> int:
        (point,) = parcels.points(metric, neuroglia_request=request, neuroglia_outcome=outcome)
        assert 0 < point.sum < 60
        return int(point.count)

    assert count("neuroglia.command.duration", "Post", "done") == 1
    assert count("neuroglia.command.duration", "Stamp", "done") == 1
    assert count("neuroglia.command.duration", "Stamp", "already-stamped") == 2
    assert count("neuroglia.query.duration", "Find", "done") == 1


async def test_events_appended_messages_handled_jobs_and_requests_are_counted(parcels: Watched) -> None:
    await parcels.service.client.post(f"{PARCELS}?to=ada")
    await parcels.has("process jobs")

    (appended,) = parcels.points("neuroglia.events.appended", messaging_destination_name="parcel")
    (handled,) = parcels.points("messaging.process.duration", messaging_destination_name="ParcelProjection")
    (jobs,) = parcels.points("messaging.process.duration", messaging_destination_name="jobs", neuroglia_task="weigh")
    (http,) = parcels.points("http.server.request.duration", http_route=PARCELS, http_response_status_code=201)
    assert (appended.value, handled.count, jobs.count, http.count) == (2, 2, 1, 1)


async def test_a_failed_attempt_is_counted_with_the_type_of_its_error(parcels: Watched) -> None:
    await parcels.service.client.post(f"{PARCELS}?to=nowhere")
    await parcels.has("process Counter")

    (failed,) = parcels.points("messaging.process.duration", error_type="ValueError", neuroglia_outcome="failed")
    assert failed.attributes["messaging.destination.name"] == "Counter"


async def test_lag_parked_streams_and_depths_are_told_by_subscription_and_queue(parcels: Watched) -> None:
    await parcels.service.client.post(f"{PARCELS}?to=nowhere")
    await parcels.service.settle()
    await parcels.look()

    def gauge(metric: str, of: str, **more: str) -> int:
        (point,) = parcels.points(metric, messaging_destination_name=of, **more)
        return int(point.value)

    assert [gauge("neuroglia.subscription.lag", name) for name in ("ParcelProjection", "Counter")] == [0, 0]
    assert [gauge("neuroglia.subscription.parked", name) for name in ("ParcelProjection", "Counter")] == [0, 1]
    for queue in ("jobs", "inbox", "outbox"):
        for state in ("waiting", "running", "parked"):
            assert gauge("neuroglia.queue.depth", queue, neuroglia_state=state) == 0


async def test_metrics_have_the_units_that_the_conventions_want(parcels: Watched) -> None:
    await parcels.service.client.post(f"{PARCELS}?to=ada")
    await parcels.has("process jobs")
    await parcels.look()

    seconds = ("messaging.process.duration", "messaging.client.operation.duration", "neuroglia.command.duration")
    units = parcels.units()
    assert {units[name] for name in (*seconds, "http.server.request.duration")} == {"s"}
    assert units["neuroglia.events.appended"] == units["neuroglia.subscription.lag"] == "{event}"
    assert (units["neuroglia.subscription.parked"], units["neuroglia.queue.depth"]) == ("{stream}", "{item}")


async def test_given_a_store_that_does_not_answer_then_the_gauges_are_read_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_METRIC_EXPORT_INTERVAL", "10")
    looks: list[str] = []

    class Absent(InMemoryDocumentStore):
        async def find(self, kind, find):  # type: ignore[no-untyped-def]
            if find.limit == 1_000:  # the gauges'
                looks.append(kind.collection)
                raise Unavailable("it is gone")
            return await super().find(kind, find)

    def absent(builder: WebApplicationBuilder) -> None:
        builder.services.add_singleton(DocumentStore, Absent)

    async with watched(absent) as parcels:

        async def looked_again() -> bool:
            return len(looks) > 2

        await eventually(looked_again)
        assert (await parcels.service.client.get("/health/ready")).status_code == 200
        with pytest.raises(Unavailable):
            await (await parcels.service.services.get(Gauges)).look()


async def test_the_page_lists_every_metric_with_its_unit(parcels: Watched) -> None:
    await parcels.service.client.post(f"{PARCELS}?to=ada")
    await parcels.has("process jobs")
    await parcels.service.client.get(f"{PARCELS}/unknown")
    await parcels.look()

    table = PAGE.read_text().partition("| metric |")[2].partition("\n\n")[0]
    listed: dict[str, str] = {}
    for names, units in re.findall(r"^\| (`.+?) \| (.+?) \|", table, re.MULTILINE):
        found, told = re.findall(r"`(.+?)`", names), units.split(", ")
        listed |= dict(zip(found, told * (len(found) // len(told)), strict=True))
    assert listed == parcels.units()
