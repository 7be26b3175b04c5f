"""What is known of an attempt: each is made once."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from api_gateway.application.commands.begin_preparation import BeginPreparation
from api_gateway.application.commands.begin_submission import BeginSubmission
from api_gateway.application.commands.end_preparation import EndPreparation
from api_gateway.integration.ports import GenAiRefused, GenAiUnclear
from neuroglia.core import Unavailable
from neuroglia.mediation import Mediator
from neuroglia.testing import FixedClock, RunningService, running
from tests.api_gateway.callers import API, admin, agent, caller
from tests.api_gateway.conftest import builder_on
from tests.api_gateway.doubles import Outside
from tests.support.waiting import eventually

pytestmark = pytest.mark.service


@pytest.fixture
async def gateway_of_agents(outside: Outside) -> AsyncIterator[RunningService]:
    outside.genai.answers_later = True
    async with running(builder_on(outside).build()) as service:
        yield service


def keys(outside: Outside) -> list[str]:
    return [key.rpartition(":")[2] for key, _ in outside.genai.asked]


async def test_given_what_was_certainly_not_sent_then_it_goes_as_the_next_attempt(
    gateway: RunningService, outside: Outside
) -> None:
    outside.genai.answers = [Unavailable("down"), Unavailable("down")]
    acme = await caller(gateway)

    done = await acme.sees((await acme.send())["id"], "completed")

    assert (keys(outside), done["attempts"]) == (["1", "2", "3"], 3)


async def test_given_a_refusal_then_it_faults_and_a_retry_is_another_attempt(
    gateway: RunningService, outside: Outside
) -> None:
    outside.genai.answers = [GenAiRefused("There is no such model.")]
    acme = await caller(gateway)
    id = (await acme.send())["id"]
    faulted = await acme.sees(id, "faulted")
    assert faulted["error"] == {"code": "submission-refused", "detail": "There is no such model."}

    await admin(gateway, "POST", f"/prompts/{id}/retry", 202)

    done = await acme.sees(id, "completed")
    assert (keys(outside), done["attempts"], done["error"]) == (["1", "2"], 2, None)


async def test_given_an_unclear_end_when_no_answer_can_come_then_it_faults_and_is_not_sent_again(
    gateway: RunningService, outside: Outside
) -> None:
    outside.genai.answers = [GenAiUnclear("timeout")]
    acme = await caller(gateway)

    done = await acme.sees((await acme.send())["id"], "faulted")

    assert (done["error"]["code"], keys(outside)) == ("submission-unclear", ["1"])


async def test_given_an_unclear_end_when_an_answer_may_come_then_it_is_waited_for(
    gateway_of_agents: RunningService, outside: Outside
) -> None:
    outside.genai.answers = [GenAiUnclear("timeout")]
    acme = await caller(gateway_of_agents)
    id = (await acme.send())["id"]
    await acme.sees(id, "submitted")

    await agent(gateway_of_agents, id, {"text": "late"}, 200, attempt=1)

    assert (await acme.see(id))["response"] == {"text": "late"}
    assert keys(outside) == ["1"]


@pytest.mark.parametrize(("answers_later", "status"), [(False, "faulted"), (True, "submitted")])
async def test_given_a_process_that_died_over_an_attempt_then_it_is_never_made_again(
    outside: Outside, answers_later: bool, status: str
) -> None:
    outside.genai.answers_later = answers_later
    outside.packages.held.clear()
    clock = FixedClock()
    async with running(builder_on(outside, clock=clock, genai_timeout=10).build()) as gateway:
        mediator, acme = await gateway.services.get(Mediator), await caller(gateway)
        id = (await acme.send(data_url="https://caller.example/data"))["id"]
        await acme.sees(id, "preparing")
        outside.genai.held.clear()
        outside.packages.held.set()

        async def asked() -> bool:
            return keys(outside) == ["1"]

        await eventually(asked)
        assert (await acme.see(id))["status"] == "submitted"

        with pytest.raises(Unavailable) as wait:  # the first one may only be slow
            await mediator.execute(BeginSubmission(id))
        assert wait.value.asked == 15
        assert (await acme.see(id))["status"] == "submitted"
        clock.advance(timedelta(seconds=15))
        assert await mediator.execute(BeginSubmission(id)) is None

        outside.genai.answers = [GenAiUnclear("too late")]
        seen = await acme.see(id)
        assert (seen["status"], seen["attempts"]) == (status, 1)
        outside.genai.held.set()
    assert keys(outside) == ["1"]


async def test_given_a_second_job_beside_a_call_then_it_waits_and_what_was_not_sent_is_the_next_attempt(
    gateway_of_agents: RunningService, outside: Outside
) -> None:
    gateway, operator = gateway_of_agents, gateway_of_agents.tokens.bearer(["operations:admin"])
    outside.genai.answers = [Unavailable("down")]
    outside.genai.held.clear()
    acme = await caller(gateway)
    id = (await acme.send())["id"]

    async def asked() -> bool:
        return keys(outside) == ["1"]

    await eventually(asked)
    job = {"task": "submit-prompt", "arguments": {"prompt_id": id, "version": 1}}
    second = await gateway.client.post(f"{API}/operations/jobs", json=job, headers=operator)
    assert second.status_code == 202, second.text

    async def waits() -> bool:
        path = f"{API}/operations/jobs/{second.json()['id']}"
        item = (await gateway.client.get(path, headers=operator)).json()
        return (item["state"], item["error"]) == ("waiting", "Unavailable")

    await eventually(waits)
    outside.genai.held.set()  # the call of the first job ends: it has certainly not arrived

    async def asked_again() -> bool:
        return keys(outside) == ["1", "2"]

    await eventually(asked_again)
    await agent(gateway, id, {"text": "an answer"}, 200, attempt=2)
    assert (await acme.see(id))["status"] == "completed"


async def test_given_a_process_that_died_over_the_preparation_then_another_one_ends_it(
    gateway: RunningService, outside: Outside
) -> None:
    outside.packages.held.clear()
    mediator, acme = await gateway.services.get(Mediator), await caller(gateway)
    id = (await acme.send(data_url="https://caller.example/data"))["id"]
    await acme.sees(id, "preparing")

    taken_over = await mediator.execute(BeginPreparation(id))
    await mediator.execute(EndPreparation(id, None))
    outside.packages.held.set()  # the first one was only slow: it finds that the prompt has gone on

    assert taken_over.status == "preparing"
    done = await acme.sees(id, "completed")
    assert (done["data_object"], done["attempts"], keys(outside)) == (None, 1, ["1"])
