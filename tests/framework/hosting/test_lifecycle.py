"""Starting in order, stopping in reverse, whatever fails on the way."""

import asyncio
import logging
from pathlib import Path

import pytest

from neuroglia.core import Clock, Unavailable
from neuroglia.core.lifecycle import HostedService
from neuroglia.event_sourcing import EventStore
from neuroglia.hosting import ServiceSettings, WebApplicationBuilder, builder as builder_module
from neuroglia.testing import FixedClock, running


class Diary(list[str]):
    """What happened, in order."""


class First(HostedService):
    def __init__(self, diary: Diary, store: EventStore) -> None:
        self.diary = diary
        self.store = store

    async def start(self) -> None:
        self.diary.append(f"{type(self).__name__} starts at {await self.store.head()}")

    async def stop(self) -> None:
        self.diary.append(f"{type(self).__name__} stops at {await self.store.head()}")


class Second(First): ...


class Third(First): ...


class CannotStart(First):
    async def start(self) -> None:
        raise Unavailable("no")


class CannotStop(First):
    async def stop(self) -> None:
        await super().stop()
        raise Unavailable("no")


class NeverStops(First):
    async def stop(self) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            self.diary.append("NeverStops was cancelled")


@pytest.fixture
def diary(builder: WebApplicationBuilder) -> Diary:
    diary = Diary()
    builder.services.add_instance(Diary, diary)
    return diary


@pytest.mark.service
async def test_services_start_in_order_and_stop_in_reverse_while_the_stores_are_open(
    builder: WebApplicationBuilder, diary: Diary
) -> None:
    for service in (First, Second, Third):
        builder.add_hosted_service(service)

    async with running(builder.build()):
        diary.append("serving")

    assert diary == [
        "First starts at -1",
        "Second starts at -1",
        "Third starts at -1",
        "serving",
        "Third stops at -1",
        "Second stops at -1",
        "First stops at -1",
    ]


@pytest.mark.service
async def test_when_one_cannot_start_then_those_before_it_stop(builder: WebApplicationBuilder, diary: Diary) -> None:
    for service in (First, Second, CannotStart, Third):
        builder.add_hosted_service(service)

    with pytest.raises(Unavailable):
        async with running(builder.build()):
            raise AssertionError

    assert diary == ["First starts at -1", "Second starts at -1", "Second stops at -1", "First stops at -1"]


@pytest.mark.service
async def test_when_one_cannot_stop_then_the_others_do(builder: WebApplicationBuilder, diary: Diary) -> None:
    for service in (First, CannotStop, Third):
        builder.add_hosted_service(service)

    with pytest.raises(Unavailable):
        async with running(builder.build()):
            diary.clear()

    assert diary == ["Third stops at -1", "CannotStop stops at -1", "First stops at -1"]


@pytest.mark.service
async def test_when_one_never_stops_then_it_is_cancelled_and_the_others_stop(
    builder: WebApplicationBuilder, diary: Diary, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(builder_module, "_STOP_S", 0.01)
    for service in (First, NeverStops):
        builder.add_hosted_service(service)

    async with running(builder.build()):
        diary.clear()

    assert diary == ["NeverStops was cancelled", "First stops at -1"]
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.__dict__["hosted_service"] == "NeverStops"


@pytest.mark.service
async def test_an_error_while_serving_stops_everything_too(builder: WebApplicationBuilder, diary: Diary) -> None:
    builder.add_hosted_service(First)

    with pytest.raises(KeyError):
        async with running(builder.build()):
            raise KeyError

    assert diary[-1] == "First stops at -1"


@pytest.mark.service
async def test_when_a_store_cannot_be_opened_then_nothing_starts(tmp_path: Path) -> None:
    (tmp_path / "a-file").touch()
    builder = WebApplicationBuilder(ServiceSettings(data_dir=tmp_path / "a-file"))
    lamps = "tests.framework.hosting.lamps"
    builder.add_mediation(lamps)
    builder.add_event_sourcing(lamps, subscriptions=lamps)
    builder.add_documents(lamps)
    builder.services.add_instance(Diary, diary := Diary())
    builder.add_hosted_service(First)

    with pytest.raises(Unavailable):
        async with running(builder.build()):
            raise AssertionError

    assert diary == []


def test_building_opens_nothing(builder_on_files: WebApplicationBuilder, tmp_path: Path) -> None:
    builder_on_files.build()

    assert list(tmp_path.iterdir()) == []


@pytest.mark.service
async def test_what_is_registered_later_wins(builder: WebApplicationBuilder) -> None:
    builder.services.add_singleton(Clock, FixedClock)

    async with running(builder.build()) as service:
        assert isinstance(await service.services.get(Clock), FixedClock)


@pytest.mark.service
async def test_the_docs_are_where_everybody_looks(builder: WebApplicationBuilder) -> None:
    async with running(builder.build()) as service:
        root = await service.client.get("/")
        docs = await service.client.get(root.headers["location"])
        document = await service.client.get("/api/openapi.json")

    assert (root.status_code, root.headers["location"]) == (307, "/api/docs")
    assert (docs.status_code, docs.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "/api/openapi.json" in docs.text
    seen = docs.text.partition('<div id="swagger-ui">')[2].partition("</div>")[0]  # until Swagger UI stands there
    assert "If this page stays empty, the browser could not load Swagger UI from cdn.jsdelivr.net." in seen
    assert '<a href="/api/openapi.json">' in seen
    assert (document.status_code, document.json()["openapi"][:2]) == (200, "3.")
