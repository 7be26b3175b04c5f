"""What must never get in: each of these is refused with the right problem, and nothing is stored."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from neuroglia.testing import RunningService, running
from tests.api_gateway.callers import PROMPT, Caller, caller
from tests.api_gateway.conftest import builder_on
from tests.api_gateway.doubles import Outside
from tests.support.hostile import HOSTILE, STRUCTURES

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]
JSON = {"Content-Type": "application/json"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway() -> AsyncIterator[RunningService]:
    """One for all, for none of these changes anything."""
    async with running(builder_on(Outside()).build()) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def acme(gateway: RunningService) -> Caller:
    return await caller(gateway)


async def posted(acme: Caller, content: str, status: int) -> Any:
    answer = await acme.request("POST", "/prompts", content=content.encode(), headers=JSON)
    assert answer.status_code == status, answer.text
    assert (await acme.request("GET", "/prompts")).json()["items"] == []
    return answer.json()


async def refused(acme: Caller, **fields: object) -> list[str]:
    """The pointers of a prompt that is refused."""
    return [error["pointer"] for error in (await posted(acme, json.dumps({**PROMPT, **fields}), 422))["errors"]]


@pytest.mark.parametrize("kind", ["", "CHAT", "chat ", "else", None, 1, ["chat"], *STRUCTURES])
async def test_kinds_that_there_are_not(acme: Caller, kind: object) -> None:
    assert await refused(acme, kind=kind) == ["/kind"]


@pytest.mark.parametrize("context", [None, [], "text", 1, True])
async def test_contexts_that_are_no_objects(acme: Caller, context: object) -> None:
    assert await refused(acme, context=context) == ["/context"]


def nested(depth: int) -> dict[str, object]:
    inner: dict[str, object] = {}
    for _ in range(depth - 1):
        inner = {"a": inner}
    return inner


@pytest.mark.parametrize(
    "context",
    [nested(33), {"a": "x" * 256 * 1024}, {"a": 2**63}, {"a": -(2**63) - 1}, {"a": [[2**200]]}],
    ids=["deep", "large", "positive", "negative", "huge"],
)
async def test_contexts_that_are_more_than_others_can_take(acme: Caller, context: dict[str, object]) -> None:
    assert await refused(acme, context=context) == ["/context"]


@pytest.mark.parametrize("number", ["1e400", "-1e999"])
async def test_numbers_that_are_none_for_a_machine(acme: Caller, number: str) -> None:
    problem = await posted(acme, f'{{"kind":"chat","context":{{"a":[{number}]}}}}', 422)
    assert [error["pointer"] for error in problem["errors"]] == ["/context"]


async def test_half_a_character(acme: Caller) -> None:
    for text in (r'{"a":"\ud800"}', r'{"\udfff":1}'):
        problem = await posted(acme, f'{{"kind":"chat","context":{text}}}', 400)
        assert problem["type"].endswith(":malformed-request")


@pytest.mark.parametrize(
    "body",
    [
        "", "{", '{"kind":"chat","context":{"a":NaN}}', '{"kind":"chat","context":{"a":Infinity}}',
        '{"kind":"chat","kind":"item","context":{}}', '{"kind":"chat","context":{"a":1,"a":2}}',
        '{"kind":"chat","context":' + '{"a":' * 100_000 + "1" + "}" * 100_001,
    ],
    ids=["empty", "broken", "nan", "infinity", "twice", "twice inside", "bottomless"],
)  # fmt: skip
async def test_what_is_no_json(acme: Caller, body: str) -> None:
    answer = await acme.request("POST", "/prompts", content=body.encode(), headers=JSON)
    assert answer.status_code in {400, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_that_is_too_large(acme: Caller) -> None:
    await posted(acme, json.dumps({**PROMPT, "context": {"a": "x" * 1024 * 1024}}), 413)


@pytest.mark.parametrize(
    "url",
    ["", 1, "https://refused.example", "https://a.example/" + "x" * 2000, "https://a.example/\n", "https://exämple.com",
     "https://a.example/ x", {"$gt": ""}],
)  # fmt: skip
@pytest.mark.parametrize("name", ["callback_url", "data_url"])
async def test_urls_that_are_not_called(acme: Caller, name: str, url: object) -> None:
    assert await refused(acme, **{name: url}) == [f"/{name}"]


@pytest.mark.parametrize("request_id", ["", "a\nb", "x" * 129, 1, {"$gt": ""}])
async def test_request_ids_that_are_none(acme: Caller, request_id: object) -> None:
    assert await refused(acme, request_id=request_id) == ["/request_id"]


async def test_fields_that_nobody_knows(acme: Caller) -> None:
    for name in ("status", "caller_id", "model", "genai_url", "id"):
        assert await refused(acme, **{name: "x"}) == [f"/{name}"]


@pytest.mark.parametrize("id", [text for text in HOSTILE.values() if not {"/", "\0", "\n"} & {*text}])
async def test_prompts_of_hostile_ids(acme: Caller, id: str) -> None:
    answer = await acme.request("GET", f"/prompts/{quote(id, safe='')}")
    assert answer.status_code in {404, 405}


@pytest.mark.parametrize("last", ["-1", "x", "1.5", "9" * 16])
async def test_places_in_a_stream_that_are_none(acme: Caller, last: str) -> None:
    answer = await acme.request("GET", "/prompts/x/events", headers={"Last-Event-ID": last})
    assert answer.status_code == 422
