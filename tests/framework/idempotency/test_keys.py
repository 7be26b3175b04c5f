"""A request with an Idempotency-Key: once for however many come, and one answer."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from neuroglia.core import Unavailable
from neuroglia.documents import DocumentStore, DocumentType, Find
from neuroglia.idempotency import IdempotencyRecord, records
from neuroglia.testing import Answer, RunningService
from tests.framework.idempotency.purses import CoinsPutIn, Purse, Stores, process
from tests.support.engines import Backing

pytestmark = pytest.mark.service

TEN = CoinsPutIn(coins=10)


@pytest.fixture
def stores() -> Stores:
    return Stores()


@pytest.fixture
async def service(backing: Backing, stores: Stores) -> AsyncIterator[RunningService]:
    async with process(backing, stores) as service:
        await service.given(Purse, "a", TEN)
        yield service


async def put_in(service: RunningService, coins: int = 5, key: str | None = "k", purse: str = "a", **h: str) -> Answer:
    headers = h if key is None else {"Idempotency-Key": key, **h}
    return await service.when("POST", f"/api/v1/purses/{purse}/coins", json={"coins": coins}, headers=headers)


def told(answer: Answer) -> tuple[int, Any, dict[str, str | None]]:
    """All that a caller sees, but for what is each request's own."""
    body = answer.body if answer.response.content else None
    if isinstance(body, dict):
        body.pop("correlation_id", None)
    return answer.response.status_code, body, {
        name: answer.response.headers.get(name) for name in ("etag", "location", "x-event-position", "content-type")
    }  # fmt: skip


@pytest.mark.parametrize("times", [2, 5])
async def test_given_a_key_when_it_comes_again_then_there_is_one_effect_and_one_answer(
    service: RunningService, times: int
) -> None:
    first = (await put_in(service)).then(200, {"coins": 15}, events=[CoinsPutIn(coins=5)])

    for _ in range(times - 1):
        again = (await put_in(service)).then(200, events=[])
        assert told(again) == told(first)


@pytest.mark.parametrize("twins", [2, 5])
async def test_given_a_key_when_twins_come_at_once_then_there_is_one_effect_and_one_answer(
    service: RunningService, stores: Stores, twins: int
) -> None:
    answers = await asyncio.gather(*(put_in(service) for _ in range(twins)))

    assert [told(answer) for answer in answers] == [told(answers[0])] * twins
    assert answers[0].response.status_code == 200
    assert stores.weather.handled == 1
    (await put_in(service, key=None)).then(200, {"coins": 20})


async def test_given_a_new_thing_when_it_is_asked_for_again_then_it_is_the_same_one(service: RunningService) -> None:
    answers = [
        await service.when("POST", "/api/v1/purses", json={"coins": 7}, headers={"Idempotency-Key": "new"})
        for _ in range(3)
    ]

    assert [told(answer) for answer in answers] == [told(answers[0])] * 3
    answers[0].then(201, {"coins": 7})
    assert answers[0].response.headers["location"] == f"/api/v1/purses/{answers[0].body['id']}"


async def test_given_a_rule_said_no_when_it_comes_again_then_it_says_the_same(
    service: RunningService, stores: Stores
) -> None:
    first = (await put_in(service, coins=101)).then_refused(422, "too-many")
    again = (await put_in(service, coins=101)).then_refused(422, "too-many")

    assert told(again) == told(first)
    assert stores.weather.handled == 1


async def test_given_the_state_said_no_when_it_would_fit_by_now_then_the_answer_stays(service: RunningService) -> None:
    await service.given(Purse, "full", *[CoinsPutIn(coins=100)] * 10)
    first = (await put_in(service, purse="full")).then_refused(409, "full")
    await service.given(Purse, "full", CoinsPutIn(coins=-100))

    assert told(await put_in(service, purse="full")) == told(first)
    (await put_in(service, purse="full", key="another")).then(200)


async def test_given_a_fault_when_it_comes_again_then_it_is_tried_again(
    service: RunningService, stores: Stores
) -> None:
    async def fail() -> None:
        raise Unavailable("down")

    before, stores.weather.before = stores.weather.before, fail
    for _ in range(2):
        (await put_in(service)).then_refused(503, "unavailable")
    stores.weather.before = before

    (await put_in(service)).then(200, {"coins": 15})
    (await put_in(service)).then(200, {"coins": 15}, events=[])


@pytest.mark.parametrize("fault", [Unavailable("down"), KeyError("x"), asyncio.CancelledError()], ids=repr)
async def test_given_a_fault_after_the_effect_when_it_comes_again_then_the_effect_is_found(
    service: RunningService, stores: Stores, fault: BaseException
) -> None:
    async def fail() -> None:
        raise fault

    after, stores.weather.after = stores.weather.after, fail
    if isinstance(fault, asyncio.CancelledError):
        with pytest.raises(asyncio.CancelledError):
            await put_in(service)
    else:
        (await put_in(service)).then(503 if isinstance(fault, Unavailable) else 500, events=[CoinsPutIn(coins=5)])
    await service.given(Purse, "a", TEN)  # a rival between the two
    stores.weather.after = after

    (await put_in(service)).then(200, {"coins": 15, "version": 1}, events=[])
    (await put_in(service, key=None)).then(200, {"coins": 30})


async def test_given_nothing_is_found_when_it_is_there_by_now_then_it_is_done(service: RunningService) -> None:
    """What is no rule's answer is not remembered."""
    (await put_in(service, purse="later")).then_refused(404, "not-found")
    await service.given(Purse, "later", TEN)

    (await put_in(service, purse="later")).then(200, {"coins": 15})


async def test_given_a_key_when_another_body_comes_with_it_then_that_is_a_mistake(service: RunningService) -> None:
    (await put_in(service, coins=5)).then(200)

    (await put_in(service, coins=6)).then_refused(422, "idempotency-key-reused")


async def test_given_a_key_when_it_comes_on_another_path_then_it_is_another_one(service: RunningService) -> None:
    await service.given(Purse, "b", TEN)
    (await put_in(service)).then(200, {"id": "a", "coins": 15})

    (await put_in(service, purse="b")).then(200, {"id": "b", "coins": 15})
    (await put_in(service, key="K")).then(200, {"id": "a", "coins": 20})


async def test_given_if_match_when_the_version_has_moved_on_then_the_answer_is_that_of_the_first_time(
    service: RunningService,
) -> None:
    first = (await put_in(service, **{"If-Match": '"0"'})).then(200, {"version": 1})
    await service.given(Purse, "a", TEN)

    assert told(await put_in(service, **{"If-Match": '"0"'})) == told(first)
    (await put_in(service, key="other", **{"If-Match": '"0"'})).then_refused(412, "precondition-failed")


async def test_given_a_day_has_passed_when_a_key_comes_again_then_it_is_a_new_one(
    service: RunningService, stores: Stores
) -> None:
    (await put_in(service)).then(200, {"coins": 15})
    stores.clock.advance(timedelta(hours=24, seconds=-1))
    (await put_in(service)).then(200, {"coins": 15}, events=[])
    stores.clock.advance(timedelta(seconds=1))

    (await put_in(service, coins=6)).then(200, {"coins": 21})


async def test_given_old_records_when_new_ones_come_then_the_old_ones_go(
    service: RunningService, stores: Stores
) -> None:
    for number in range(15):
        (await put_in(service, key=f"old-{number}")).then(200)
    stores.clock.advance(timedelta(hours=25))
    for number in range(2):
        (await put_in(service, key=f"new-{number}")).then(200)

    store = await service.services.get(DocumentStore)
    left = await store.find(DocumentType(IdempotencyRecord), Find((), (), descending=False, limit=100))
    assert len(left) == 2


async def test_given_the_first_still_runs_when_a_twin_has_waited_then_it_is_told_to_come_again(
    service: RunningService, stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "_WAIT_S", 0.1)
    go_on = asyncio.Event()
    before, stores.weather.before = stores.weather.before, go_on.wait
    first = asyncio.create_task(put_in(service))
    await stores.weather.begun.wait()

    twin = (await put_in(service)).then(409)
    assert twin.body["type"].endswith(":idempotency-key-in-use")
    assert twin.response.headers["retry-after"] == "1"

    stores.weather.before = before
    go_on.set()
    assert told(await put_in(service)) == told(await first)
    assert stores.weather.handled == 1


async def test_given_the_first_ends_in_time_when_a_twin_waits_then_both_hear_the_same(
    service: RunningService, stores: Stores
) -> None:
    go_on = asyncio.Event()
    stores.weather.before = go_on.wait
    first = asyncio.create_task(put_in(service))
    await stores.weather.begun.wait()
    twin = asyncio.create_task(put_in(service))
    await asyncio.wait([twin], timeout=0.1)
    assert not twin.done()
    go_on.set()

    assert told(await twin) == told(await first)


@pytest.mark.parametrize("place", ["at work", "on its way to it"])
async def test_given_the_owner_took_too_long_when_a_twin_takes_over_then_there_is_one_effect(
    service: RunningService, stores: Stores, place: str
) -> None:
    go_on, at_work = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        at_work.set()
        await go_on.wait()

    before, stores.weather.before = stores.weather.before, work
    slow = asyncio.create_task(put_in(service))
    await (at_work if place == "at work" else stores.weather.begun).wait()
    stores.clock.advance(timedelta(seconds=11))
    stores.weather.before = before

    twin = (await put_in(service)).then(200, {"coins": 15})
    go_on.set()

    assert told(await slow) == told(twin)
    (await put_in(service, key=None)).then(200, {"coins": 20})


@pytest.mark.parametrize("twins", [2, 5])
async def test_given_documents_when_twins_come_at_once_then_there_is_one_effect_and_one_answer(
    service: RunningService, twins: int
) -> None:
    async def fill(key: str) -> Answer:
        return await service.when("POST", "/api/v1/purses/boxes/a", json={"coins": 5}, headers={"Idempotency-Key": key})

    answers = await asyncio.gather(*(fill("k") for _ in range(twins)), *(fill("other") for _ in range(twins)))

    assert {answer.response.status_code for answer in answers} == {200}
    assert len({answer.body["coins"] for answer in answers}) == 2
    assert (await fill("third")).body["coins"] == 15


async def test_given_a_command_that_sends_others_when_it_comes_again_then_each_of_them_has_taken_effect_once(
    service: RunningService, stores: Stores
) -> None:
    """They have ids of their own: the key is that of the request."""
    await service.given(Purse, "b", TEN)

    async def share() -> Answer:
        return await service.when(
            "POST", "/api/v1/purses/share", json={"coins": 5}, headers={"Idempotency-Key": "share"}
        )

    async def fail_at_the_third() -> None:
        if stores.weather.handled == 3:
            raise KeyError("x")

    after, stores.weather.after = stores.weather.after, fail_at_the_third
    (await share()).then(500, events=[CoinsPutIn(coins=5)] * 3)
    stores.weather.after = after

    (await share()).then(200, events=[CoinsPutIn(coins=5)])
    (await share()).then(200, events=[])
    (await put_in(service, purse="a", key=None)).then(200, {"coins": 25})
    (await put_in(service, purse="b", key=None)).then(200, {"coins": 25})


@pytest.mark.parametrize("key", ["", "x" * 256, "\x7f", "schlüssel".encode("latin-1"), "a\tb"], ids=repr)
async def test_a_key_that_is_none_is_refused(service: RunningService, key: str) -> None:
    (await put_in(service, key=key)).then_refused(400, "malformed-request")


@pytest.mark.parametrize("key", ["x", "x" * 255, '"quoted"', "a b~!", "../%00", '{"$gt": ""}'], ids=repr)
async def test_any_printable_text_is_a_key(service: RunningService, key: str) -> None:
    (await put_in(service, key=key)).then(200, {"coins": 15})
    (await put_in(service, key=key)).then(200, {"coins": 15}, events=[])


@pytest.mark.parametrize("key", ["k", "", "x" * 256])
async def test_a_key_on_a_read_is_ignored(service: RunningService, key: str) -> None:
    answer = await service.when("GET", "/api/v1/purses", headers={"Idempotency-Key": key})

    assert (answer.response.status_code, answer.body) == (200, None)


async def test_every_endpoint_that_changes_something_shows_the_header(service: RunningService) -> None:
    document = (await service.when("GET", "/api/openapi.json")).body
    shown = {
        (method, path): [p["name"] for p in operation.get("parameters", []) if p["in"] == "header"]
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if path.startswith("/api")
    }

    assert {where for where, names in shown.items() if "Idempotency-Key" in names} == {
        where for where in shown if where[0] != "get"
    }
