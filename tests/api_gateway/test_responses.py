"""What agents bring."""

from collections.abc import AsyncIterator

import pytest

from neuroglia.testing import RunningService, running
from tests.api_gateway.callers import API, Caller, agent, caller
from tests.api_gateway.conftest import builder_on
from tests.api_gateway.doubles import Outside

pytestmark = pytest.mark.service

ANSWER = {"text": "an answer", "score": 0.5, "parts": [1, None, True]}


@pytest.fixture
async def gateway(outside: Outside) -> AsyncIterator[RunningService]:
    outside.genai.answers_later = True
    async with running(builder_on(outside).build()) as service:
        yield service


@pytest.fixture
async def acme(gateway: RunningService) -> Caller:
    return await caller(gateway)


async def submitted(acme: Caller) -> str:
    id = str((await acme.send())["id"])
    await acme.sees(id, "submitted")
    return id


async def test_given_a_response_then_the_prompt_is_completed_and_the_same_again_changes_nothing(
    gateway: RunningService, acme: Caller
) -> None:
    id = await submitted(acme)

    first = await agent(gateway, id, ANSWER, 200, attempt=1)
    again = await agent(gateway, id, {name: ANSWER[name] for name in reversed(ANSWER)}, 200)

    assert (first["status"], first["response"], again) == ("completed", ANSWER, first)


@pytest.mark.parametrize("other", [{"text": "another answer"}, {}, {**ANSWER, "parts": [1, None, 1]}])
async def test_given_another_response_then_it_is_refused(
    gateway: RunningService, acme: Caller, other: dict[str, object]
) -> None:
    id = await submitted(acme)
    await agent(gateway, id, ANSWER, 200)

    refusal = await agent(gateway, id, other, 409)

    assert refusal["type"] == "urn:neuroglia:api-gateway:response-differs"
    assert (await acme.see(id))["response"] == ANSWER


async def test_given_a_response_to_another_attempt_then_it_is_refused(gateway: RunningService, acme: Caller) -> None:
    id = await submitted(acme)

    refusal = await agent(gateway, id, ANSWER, 409, attempt=2)

    assert refusal["type"] == "urn:neuroglia:api-gateway:another-attempt"


async def test_given_a_cancelled_prompt_then_its_response_is_refused(gateway: RunningService, acme: Caller) -> None:
    id = await submitted(acme)
    assert (await acme.request("POST", f"/prompts/{id}/cancel")).status_code == 202

    refusal = await agent(gateway, id, ANSWER, 409)

    assert refusal["type"] == "urn:neuroglia:api-gateway:prompt-not-in-this-state"
    assert (await acme.see(id))["status"] == "cancelled"


async def test_given_no_such_prompt_or_a_caller_then_there_is_no_way_in(gateway: RunningService, acme: Caller) -> None:
    id = await submitted(acme)

    await agent(gateway, "nothing", ANSWER, 404)
    body = {"response": ANSWER}
    assert (await acme.request("POST", f"/internal/prompts/{id}/response", json=body)).status_code == 403
    tokens = gateway.tokens.bearer(["gateway:admin"])
    answer = await gateway.client.post(f"{API}/internal/prompts/{id}/response", json=body, headers=tokens)
    assert answer.status_code == 403


@pytest.mark.parametrize("attempt", [0, -1, 1.5, "1", True])
async def test_given_no_number_for_an_attempt_then_it_is_invalid(
    gateway: RunningService, acme: Caller, attempt: object
) -> None:
    id = await submitted(acme)

    body = {"response": ANSWER, "attempt": attempt}
    answer = await gateway.client.post(
        f"{API}/internal/prompts/{id}/response", json=body, headers=gateway.tokens.bearer(["prompts:respond"])
    )

    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/attempt")
