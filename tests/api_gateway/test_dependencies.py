"""What the gateway needs is really asked."""

import socket
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Response

from api_gateway.integration.clients.dependencies import ProbedIssuer, ProbedSink
from api_gateway.main import create_builder, reach_outside
from api_gateway.settings import ApiGatewaySettings
from neuroglia.core import Unavailable
from neuroglia.documents import DocumentStore
from neuroglia.security import OAuth2Options
from neuroglia.testing import InMemoryDocumentStore, RunningService, running
from tests.api_gateway.callers import admin
from tests.api_gateway.conftest import builder_on
from tests.api_gateway.doubles import Outside

pytestmark = pytest.mark.service


async def test_each_is_named_with_its_state(gateway: RunningService, outside: Outside) -> None:
    assert await admin(gateway, "GET", "/dependencies/health", 200) == {
        "status": "healthy",
        "dependencies": [
            {"name": name, "state": "up", "detail": None} for name in ("document_store", "genai", "event_sink")
        ],
    }
    outside.dependencies[2].is_down = True

    told = await admin(gateway, "GET", "/dependencies/health", 200)

    assert told["status"] == "degraded"
    assert told["dependencies"][2] == {"name": "event_sink", "state": "down", "detail": "It is down."}


async def test_given_a_document_store_that_is_down_then_that_is_told_all_the_same(outside: Outside) -> None:
    store = InMemoryDocumentStore()
    builder = builder_on(outside)
    builder.services.add_singleton(DocumentStore, lambda: store)
    async with running(builder.build()) as gateway:
        outside.dependencies[0].is_down = True
        await store.aclose()

        told = await admin(gateway, "GET", "/dependencies/health", 200)

        assert [one["state"] for one in told["dependencies"]] == ["down", "up", "up"]
        await store.open()


async def test_the_real_ones_are_five(tmp_path: Path) -> None:
    settings = ApiGatewaySettings(data_dir=tmp_path, log_level="ERROR", oauth2_issuer="http://127.0.0.1:1")
    async with running(reach_outside(create_builder(settings), settings).build()) as gateway:
        told = await admin(gateway, "GET", "/dependencies/health", 200)

    assert {one["name"]: one["state"] for one in told["dependencies"]} == {
        "identity_provider": "down", "document_store": "up", "object_store": "up", "genai_service": "up",
        "event_sink": "up",
    }  # fmt: skip


def closed_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


async def test_nobody_there_is_down() -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    for dependency in (ProbedSink("sink", url), ProbedIssuer("issuer", OAuth2Options(url, "api-gateway"))):
        with pytest.raises(Unavailable):
            await dependency.probe()
    await ProbedSink("sink", None).probe()


@pytest.mark.parametrize(
    ("status", "body", "up"),
    [(200, '{"issuer": "http://issuer"}', True), (200, '{"issuer": "http://other"}', False), (200, "[]", False),
     (200, "hello", False), (200, '"x"', False), (500, '{"issuer": "http://issuer"}', False)],
)  # fmt: skip
async def test_an_issuer_is_asked_who_it_is(monkeypatch: pytest.MonkeyPatch, status: int, body: str, up: bool) -> None:
    app = FastAPI()
    app.add_api_route("/described", lambda: Response(body, status))
    transport = httpx.ASGITransport(app)
    client = httpx.AsyncClient
    monkeypatch.setattr(httpx, "AsyncClient", lambda **options: client(transport=transport, **options))
    issuer = ProbedIssuer("issuer", OAuth2Options("http://issuer", "api-gateway", "http://test/described"))

    if up:
        await issuer.probe()
    else:
        with pytest.raises(Unavailable):
            await issuer.probe()


@pytest.mark.parametrize(("status", "up"), [(204, True), (405, True), (501, True), (500, False), (503, False)])
async def test_a_sink_is_down_when_it_fails_and_not_when_it_takes_events_alone(
    monkeypatch: pytest.MonkeyPatch, status: int, up: bool
) -> None:
    app = FastAPI()
    app.add_api_route("/events", lambda: Response(status_code=status), methods=["OPTIONS"])
    transport = httpx.ASGITransport(app)
    client = httpx.AsyncClient
    monkeypatch.setattr(httpx, "AsyncClient", lambda **options: client(transport=transport, **options))
    sink = ProbedSink("event_sink", "http://test/events")

    if up:
        await sink.probe()
    else:
        with pytest.raises(Unavailable):
            await sink.probe()
