"""The admin API over a real service."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import pytest

from neuroglia.core import SystemClock, SystemIds
from neuroglia.documents import DocumentStore, DocumentType, Find, StoredDocument, WorkState, eq
from neuroglia.event_sourcing import BEGINNING, EventMetadata, EventStore, NewEvent
from neuroglia.hosting import ServiceSettings
from neuroglia.operations.events import EventDto, EventLog
from neuroglia.testing import RunningService, in_memory, running
from tests.framework.operations.bells import Bell, Rung, create_builder
from tests.support.engines import DURABLE, IN_MEMORY, Backing
from tests.support.hostile import HOSTILE
from tests.support.waiting import eventually

pytestmark = pytest.mark.service

API = "/api/v1/operations"
DING, POISON = Rung(tone="ding"), Rung(tone="poison")


@pytest.fixture
async def service(backing: Backing, tmp_path: Path) -> AsyncIterator[RunningService]:
    builder = create_builder(
        ServiceSettings(log_level="ERROR", data_dir=tmp_path, lease_seconds=0.3, **asdict(backing))
    )
    async with running((in_memory(builder) if backing == IN_MEMORY else builder).build()) as service:
        yield service


async def get(service: RunningService, path: str, **parameters: Any) -> Any:
    answer = await service.client.get(API + path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def parked(service: RunningService, count: int) -> list[Any]:
    async def so_many() -> bool:
        return len((await get(service, "/parked"))["items"]) == count

    await eventually(so_many)
    return list((await get(service, "/parked"))["items"])


async def subscription(service: RunningService, name: str) -> Any:
    (found,) = [one for one in (await get(service, "/subscriptions"))["items"] if one["name"] == name]
    return found


async def raw(service: RunningService, stream: str, type: str, data: bytes, expected: int = -1) -> None:
    metadata = EventMetadata(recorded_at=SystemClock().now(), correlation_id="raw", causation_id=None, actor="x")
    store = await service.services.get(EventStore)
    await store.append(stream, [NewEvent(id=SystemIds().new(), type=type, data=data, metadata=metadata)], expected)
    await service.settle()


async def tail(service: RunningService, after: int) -> AsyncGenerator[EventDto]:
    """What `/events/tail` sends: without it, for the client of a test waits for the end of an answer."""
    log = await service.services.get(EventLog)
    return cast("AsyncGenerator[EventDto]", log.follow(await log.at(after), "bell-"))


async def test_given_a_request_then_all_that_it_caused_is_found_by_its_correlation_id(service: RunningService) -> None:
    await service.client.post("/api/v1/bells/a", headers={"X-Correlation-ID": "mine"})
    await service.client.post("/api/v1/bells/b", headers={"X-Correlation-ID": "other"})
    await service.settle()
    await service.settle()  # the echo, too

    rung, echoed = (await get(service, "/events", correlation_id="mine"))["items"]

    assert (rung["type"], rung["stream"], rung["revision"], rung["data"]) == (
        "bells.rung.v1", "bell-a", 0, {"tone": "ding"}
    )  # fmt: skip
    assert (echoed["type"], echoed["causation_id"]) == ("bells.echoed.v1", rung["id"])
    assert rung["correlation_id"] == echoed["correlation_id"] == "mine"


@pytest.mark.parametrize("of", [{}, {"stream": "bell-a"}, {"correlation_id": "given"}])
async def test_pages_lead_through_all_events_in_order(service: RunningService, of: dict[str, str]) -> None:
    await service.given(Bell, "a", *[Rung(tone=str(number)) for number in range(7)])
    everything = (await get(service, "/events", **of, limit=200))["items"]
    found: list[Any] = []
    after: dict[str, str] = {}
    while True:
        page = await get(service, "/events", **of, **after, limit=3)
        assert len(page["items"]) <= 3
        found += page["items"]
        if page["next_cursor"] is None:
            break
        after = {"after": page["next_cursor"]}

    assert found == everything
    tones = [event["data"]["tone"] for event in found if event["stream"] == "bell-a"]
    assert tones == [str(number) for number in range(7)]


async def test_given_a_page_to_go_on_from_then_nobody_looks_for_its_place_from_the_end_of_the_log(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.given(Bell, "a", *[DING] * 7)
    store = await service.services.get(EventStore)
    look, looked = store.last_position, list[int]()

    async def watched(*, prefixes: Sequence[str], at_most: int) -> int:
        looked.append(at_most)
        return await look(prefixes=prefixes, at_most=at_most)

    monkeypatch.setattr(store, "last_position", watched)
    first = await get(service, "/events", limit=3)
    second = await get(service, "/events", limit=3, after=first["next_cursor"])

    assert [event["revision"] for event in second["items"]] == [3, 4, 5]
    assert int(first["next_cursor"]) not in looked  # what follows the log may ask for its head at any time


async def test_given_a_document_store_that_does_not_answer_then_the_log_goes_on_from_a_place(
    service: RunningService,
) -> None:
    await service.given(Bell, "a", *[DING] * 3)
    first = await get(service, "/events", stream="bell-a", limit=1)
    place = first["items"][0]["position"]
    documents = await service.services.get(DocumentStore)
    await documents.aclose()
    try:
        page = await get(service, "/events", after=place)
        async with aclosing(await tail(service, place)) as events:
            following = [(await anext(events)).position for _ in range(2)]
    finally:
        await documents.open()

    assert [event["revision"] for event in page["items"] if event["stream"] == "bell-a"] == [1, 2]
    assert following == [event["position"] for event in page["items"][:2]]


async def test_events_of_unknown_types_and_broken_ones_are_found_and_those_of_others_are_not(
    service: RunningService,
) -> None:
    await raw(service, "bell-x", "nobody.knows.v1", b'{"a": 1}')
    await raw(service, "stranger-x", "nobody.knows.v1", b"{}")

    found = await get(service, "/events", correlation_id="raw")

    assert [(event["stream"], event["data"]) for event in found["items"]] == [("bell-x", {"a": 1})]
    assert (await get(service, "/events", stream="stranger-x"))["items"] == []
    assert (await get(service, "/events"))["items"] == found["items"]


@pytest.mark.parametrize(
    "data",
    [b'{"a": "\\ud800"}', b'{"a": NaN}', b"[" * 300 + b"]" * 300, b"[" * 200_000, b"9" * 5_000],
    ids=["half a pair", "NaN", "deep", "deep and broken", "a long number"],
)
async def test_given_json_that_no_answer_can_hold_when_shown_then_it_is_text_and_the_events_around_it_are_there(
    service: RunningService, data: bytes
) -> None:
    await raw(service, "bell-x", "nobody.knows.v1", b"1")
    await raw(service, "bell-x", "nobody.knows.v1", data, 0)
    await raw(service, "bell-x", "nobody.knows.v1", b"[" * 200 + b"3" + b"]" * 200, 1)

    pages = [await get(service, "/events", **of) for of in ({}, {"stream": "bell-x"}, {"correlation_id": "raw"})]

    assert [[event["revision"] for event in page["items"]] for page in pages] == [[0, 1, 2]] * 3
    assert [page["items"][1]["data"] for page in pages] == [data.decode(errors="replace")] * 3
    assert [page["items"][0]["data"] for page in pages] == [1] * 3
    async with aclosing(await tail(service, BEGINNING)) as events:
        told = [json.loads((await anext(events)).model_dump_json())["data"] for _ in range(3)]
    assert told == [event["data"] for event in pages[0]["items"]]


async def test_given_poison_when_the_cause_is_mended_and_it_is_replayed_then_nothing_is_parked(
    service: RunningService, tmp_path: Path
) -> None:
    await service.given(Bell, "a", DING, POISON, DING)
    first, second = await parked(service, 2)
    assert (first["subscription"], first["stream"], first["revision"], first["type"]) == (
        "BellProjection", "bell-a", 1, "bells.rung.v1"
    )  # fmt: skip
    assert (first["error"], first["attempts"], first["behind"]) == ("ZeroDivisionError", 3, False)
    assert (second["error"], second["behind"]) == (None, True)
    assert (await subscription(service, "BellProjection"))["parked"] == 1
    assert (await get(service, "/parked/BellProjection", stream="bell-a"))["items"] == [first, second]
    assert (await get(service, "/parked/BellProjection", stream="bell-b"))["items"] == []
    assert (await get(service, "/parked/BellProjection", limit=1))["next_cursor"] == str(first["position"])

    (tmp_path / "mended").touch()
    answer = await service.client.post(f"{API}/parked/BellProjection/replay", json={"stream": "bell-a"})

    assert answer.status_code == 202
    assert answer.json()["requested"] == 2
    assert await parked(service, 0) == []

    async def all_handled() -> bool:
        return (await subscription(service, "BellProjection"))["requested"] == 0

    await eventually(all_handled)


async def test_given_many_parked_when_a_page_of_them_is_asked_for_then_the_others_are_not_read(
    service: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.given(Bell, "a", POISON, *[DING] * 4)
    first, *_ = await parked(service, 5)
    documents = await service.services.get(DocumentStore)
    find, looks = documents.find, list[Find]()

    async def watched(kind: DocumentType[Any], wanted: Find) -> Sequence[StoredDocument]:
        looks.append(wanted)
        return await find(kind, wanted)

    monkeypatch.setattr(documents, "find", watched)
    page = await get(service, "/parked/BellProjection", limit=1, after=first["position"])

    assert [event["revision"] for event in page["items"]] == [1]
    assert sum(eq("state", WorkState.PARKED) in look.where for look in looks) == 1


@pytest.mark.parametrize("engine", DURABLE, indirect=True)
async def test_given_a_rebuild_by_another_process_then_what_is_parked_of_the_next_generation_is_shown_at_once(
    backing: Backing, tmp_path: Path
) -> None:
    settings = ServiceSettings(log_level="ERROR", data_dir=tmp_path, lease_seconds=60, **asdict(backing))
    async with running(create_builder(settings).build()) as worker:
        await worker.happened(Bell, "a", POISON)
        await parked(worker, 1)
        async with running(create_builder(settings).build()) as other:

            async def stands_by() -> bool:
                return bool((await subscription(other, "BellProjection"))["state"] == "standby")

            async def done() -> bool:
                return (await subscription(worker, "BellProjection"))["rebuilt"] is None

            await eventually(stands_by)
            await worker.client.post(f"{API}/subscriptions/BellProjection/rebuild")
            await eventually(done)
            await worker.client.post(f"{API}/parked/BellProjection/discard")

            assert (await get(other, "/parked/BellProjection"))["items"] == []


async def test_given_poison_when_it_is_discarded_then_what_stood_behind_it_is_handled(service: RunningService) -> None:
    await service.given(Bell, "a", POISON, DING)
    first, _ = await parked(service, 2)

    body = {"position": first["position"]}
    answer = await service.client.post(f"{API}/parked/BellProjection/discard", json=body)

    assert answer.status_code == 202
    assert await parked(service, 0) == []


async def test_a_rebuild_is_told_until_it_is_done(service: RunningService) -> None:
    await service.given(Bell, "a", DING)

    answer = await service.client.post(f"{API}/subscriptions/EventIndex/rebuild")

    assert (answer.status_code, answer.json()["kind"]) == (202, "projection")

    async def done() -> bool:
        return (await subscription(service, "EventIndex"))["rebuilt"] is None

    await eventually(done)
    await service.settle()
    found = (await get(service, "/events", correlation_id="given"))["items"]
    assert [event["type"] for event in found] == ["bells.rung.v1", "bells.echoed.v1"]


async def test_what_is_no_projection_is_not_rebuilt(service: RunningService) -> None:
    (await service.when("POST", f"{API}/subscriptions/EchoReaction/rebuild")).then_refused(422, "no-projection")


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/subscriptions/{}/rebuild"), ("GET", "/parked/{}"), ("POST", "/parked/{}/replay"),
     ("POST", "/parked/{}/discard")],
)  # fmt: skip
@pytest.mark.parametrize("name", ["Nobody", "a%2Fb", "..%2F..", "%00", "%24all", "'--", "BellProjection%20", "%F0%9F"])
async def test_unknown_names_are_404(service: RunningService, method: str, path: str, name: str) -> None:
    (await service.when(method, API + path.format(name))).then_refused(404, "not-found")


async def test_given_endpoints_that_send_no_command_then_they_offer_no_idempotency_key(service: RunningService) -> None:
    paths = (await service.client.get("/api/openapi.json")).json()["paths"]
    offered = {
        path: "Idempotency-Key" in [parameter["name"] for parameter in methods["post"].get("parameters", [])]
        for path, methods in paths.items()
        if "post" in methods
    }

    assert {path for path, is_offered in offered.items() if is_offered} == {"/api/v1/bells/{bell_id}"}
    assert len([path for path in offered if path.startswith(API)]) == 6


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", f"limit={10**30}", "limit=x", "after=-2", f"after={2**63}", "after=1e3", "after=$gt",
     "stream=a&correlation_id=b"],
)  # fmt: skip
async def test_odd_questions_are_refused(service: RunningService, query: str) -> None:
    (await service.when("GET", f"{API}/events?{query}")).then_refused(422, "invalid-request")


@pytest.mark.parametrize("after", [0, 5, 2**62, 2**63 - 2])
@pytest.mark.parametrize("of", [{}, {"stream": "bell-a"}, {"correlation_id": "given"}])
async def test_any_place_to_go_on_from_is_answered(service: RunningService, after: int, of: dict[str, str]) -> None:
    await service.given(Bell, "a", DING)
    await get(service, "/events", after=after, **of)


async def test_hostile_text_finds_nothing(service: RunningService) -> None:
    await service.given(Bell, "a", POISON)
    await parked(service, 1)
    for text in HOSTILE.values():
        for name in ("stream", "correlation_id"):
            assert (await get(service, "/events", **{name: text}))["items"] == [], text
        assert (await get(service, "/parked/BellProjection", stream=text))["items"] == [], text
    for body in ({"stream": {"$gt": ""}}, {"streams": "x"}, {"position": "x"}, {"position": 2**70}):
        answer = await service.client.post(f"{API}/parked/BellProjection/discard", json=body)
        assert answer.status_code == 422, body
    await parked(service, 1)
