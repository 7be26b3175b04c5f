"""Health says what is really so: down only when the service cannot serve."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from neuroglia.core import SystemClock, SystemIds
from neuroglia.event_sourcing import EventCodec, EventMetadata, EventStore, NewEvent, Subscriptions
from neuroglia.hosting import ServiceSettings, WebApplicationBuilder
from neuroglia.testing import RunningService, running
from tests.framework.hosting.lamps import Lamp, LampLit
from tests.support.waiting import eventually

pytestmark = pytest.mark.service


def new_event(type_: str, data: bytes) -> NewEvent:
    metadata = EventMetadata(
        recorded_at=SystemClock().now(), correlation_id="c", causation_id=None, actor="somebody else"
    )
    return NewEvent(id=SystemIds().new(), type=type_, data=data, metadata=metadata)


async def status(service: RunningService) -> str:
    return str((await service.client.get("/health/ready")).json()["status"])


async def test_when_all_is_well_then_it_is_live_and_ready(builder: WebApplicationBuilder) -> None:
    async with running(builder.build()) as service:
        await service.given(Lamp, "1", LampLit())

        live = await service.client.get("/health/live")
        ready = await service.client.get("/health/ready")

    assert (live.status_code, live.json()) == (200, {"status": "live"})
    assert (ready.status_code, ready.json()) == (
        200,
        {
            "status": "ready",
            "services": [{"name": "event_store", "state": "up"}, {"name": "document_store", "state": "up"}],
            "subscriptions": [
                {
                    "name": "LampProjection", "kind": "projection", "state": "live", "position": 1, "lag": 0,
                    "rebuilt": None, "parked": 0, "unknown_events": 0, "error": None,
                }
            ],
        },
    )  # fmt: skip


async def test_a_service_without_stores_is_ready() -> None:
    async with running(WebApplicationBuilder(ServiceSettings()).build()) as service:
        answer = await service.client.get("/health/ready")

    assert (answer.status_code, answer.json()) == (200, {"status": "ready", "services": [], "subscriptions": []})


async def test_when_a_store_is_unusable_then_it_is_unavailable_and_lives(
    builder_on_files: WebApplicationBuilder, tmp_path: Path
) -> None:
    async with running(builder_on_files.build()) as service:
        with sqlite3.connect(tmp_path / "events.db") as somebody_else:
            somebody_else.execute("DROP TABLE events")
        somebody_else.close()

        ready = await service.client.get("/health/ready")
        live = await service.client.get("/health/live")

    assert (ready.status_code, ready.json()["status"]) == (503, "unavailable")
    assert ready.json()["services"] == [
        {"name": "event_store", "state": "down"},
        {"name": "document_store", "state": "up"},
    ]
    assert {one["lag"] for one in ready.json()["subscriptions"]} == {None}  # nobody can tell
    assert live.status_code == 200


async def test_when_a_projection_fails_then_it_is_degraded_while_it_tries_and_once_it_has_parked_and_serves(
    builder: WebApplicationBuilder,
) -> None:
    async with running(builder.build()) as service:
        await service.given(Lamp, "1", LampLit())
        store, codec = await service.services.get(EventStore), await service.services.get(EventCodec)
        broken = LampLit(broken=True)
        answers: list[dict[str, Any]] = []

        async def parked() -> bool:
            answer = await service.client.get("/health/ready")
            assert answer.status_code == 200
            assert "Ada" not in answer.text  # the type of an error alone: the message holds personal data
            answers.append(answer.json())
            return bool(answers[-1]["subscriptions"][0]["parked"])

        await store.append("lamp-2", [new_event(codec.name(broken), codec.encode(broken))], -1)
        await eventually(parked)
        (end,) = answers[-1]["subscriptions"]
        tries = [a["subscriptions"][0] for a in answers if a["subscriptions"][0]["state"] == "retrying"]

    assert [(one["position"], one["lag"], one["error"], one["parked"]) for one in tries[-1:]] == [
        (1, 1, "ValueError", 0)
    ]
    assert (answers[-1]["status"], end["state"], end["position"], end["parked"]) == ("degraded", "live", 2, 1)


async def test_events_of_an_unknown_type_are_counted_and_passed(builder: WebApplicationBuilder) -> None:
    async with running(builder.build()) as service:
        store = await service.services.get(EventStore)
        await store.append("lamp-1", [new_event("test.lamp-painted.v1", b"{}")], -1)
        await service.settle()

        answer = await service.client.get("/health/ready")

    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert answer.json()["subscriptions"][0]["unknown_events"] == 1


async def test_when_a_runner_has_died_then_it_is_unavailable(builder: WebApplicationBuilder) -> None:
    async with running(builder.build()) as service:
        subscriptions = await service.services.get(Subscriptions)
        for task in subscriptions._tasks:
            task.cancel()

        async def noticed() -> bool:
            return await status(service) == "unavailable"

        await eventually(noticed)
        answer = await service.client.get("/health/ready")

    assert answer.status_code == 503
    assert {found["state"] for found in answer.json()["services"]} == {"up"}
