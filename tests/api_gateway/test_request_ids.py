"""The same request twice is one prompt."""

import asyncio

import pytest

from neuroglia.testing import RunningService
from tests.api_gateway.callers import PROMPT, caller
from tests.api_gateway.doubles import Outside

pytestmark = pytest.mark.service


async def test_given_a_request_id_that_came_before_then_the_first_prompt_is_shown(
    gateway: RunningService, outside: Outside
) -> None:
    acme = await caller(gateway)
    first = await acme.send(request_id="r-1")
    await acme.sees(first["id"], "completed")

    again = await acme.send(200, request_id="r-1", context={"text": "something else"})

    assert (again["id"], again["status"], again["context"]) == (first["id"], "completed", PROMPT["context"])
    assert len(outside.genai.asked) == 1


async def test_given_another_caller_or_another_id_then_it_is_another_prompt(gateway: RunningService) -> None:
    acme, other = await caller(gateway, "acme"), await caller(gateway, "other")

    sent = [await acme.send(request_id="r-1"), await other.send(request_id="r-1"), await acme.send(request_id="r-2")]

    assert len({one["id"] for one in sent}) == 3


async def test_given_another_key_of_the_same_caller_then_it_is_the_same_prompt(gateway: RunningService) -> None:
    one, another = await caller(gateway), await caller(gateway)

    first = await one.send(request_id="r-1")

    assert (await another.send(200, request_id="r-1"))["id"] == first["id"]


async def test_given_a_race_of_equal_requests_then_there_is_one_prompt(
    gateway: RunningService, outside: Outside
) -> None:
    acme = await caller(gateway)
    body = {**PROMPT, "request_id": "r-1"}

    answers = await asyncio.gather(*[acme.request("POST", "/prompts", json=body) for _ in range(20)])

    assert sorted(answer.status_code for answer in answers) == [200] * 19 + [201]
    (id,) = {answer.json()["id"] for answer in answers}
    await acme.sees(id, "completed")
    assert len(outside.genai.asked) == 1


async def test_given_an_idempotency_key_then_the_answer_is_replayed(gateway: RunningService, outside: Outside) -> None:
    acme = await caller(gateway)

    answers = [
        await acme.request("POST", "/prompts", json=PROMPT, headers={"Idempotency-Key": "k-1"}) for _ in range(3)
    ]

    assert [answer.status_code for answer in answers] == [201, 201, 201]
    (id,) = {answer.json()["id"] for answer in answers}
    await acme.sees(id, "completed")
    assert len(outside.genai.asked) == 1
    other = await acme.request("POST", "/prompts", json={**PROMPT, "kind": "item"}, headers={"Idempotency-Key": "k-1"})
    assert (other.status_code, other.json()["type"]) == (422, "urn:neuroglia:api-gateway:idempotency-key-reused")
