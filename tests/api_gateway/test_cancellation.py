"""Cancelling, and retrying what is faulted."""

import pytest

from api_gateway.integration.ports import DataRefused, GenAiRefused
from neuroglia.testing import RunningService
from tests.api_gateway.callers import admin, caller
from tests.api_gateway.doubles import Outside

pytestmark = pytest.mark.service

DATA_URL = "https://caller.example/data.zip"


async def test_given_a_prompt_that_is_prepared_when_it_is_cancelled_then_nothing_follows(
    gateway: RunningService, outside: Outside
) -> None:
    outside.packages.held.clear()
    acme = await caller(gateway)
    id = (await acme.send(data_url=DATA_URL))["id"]
    await acme.sees(id, "preparing")

    response = await acme.request("POST", f"/prompts/{id}/cancel")
    outside.packages.held.set()

    assert (response.status_code, response.json()["status"]) == (202, "cancelled")
    other = await acme.send()
    await acme.sees(other["id"], "completed")
    assert (await acme.see(id))["status"] == "cancelled"
    assert [submission.prompt_id for _, submission in outside.genai.asked] == [other["id"]]


async def test_given_a_final_prompt_then_it_can_be_neither_cancelled_nor_retried(gateway: RunningService) -> None:
    acme = await caller(gateway)
    id = (await acme.send())["id"]
    await acme.sees(id, "completed")

    refusal = await acme.request("POST", f"/prompts/{id}/cancel")

    assert (refusal.status_code, refusal.json()["type"]) == (409, "urn:neuroglia:api-gateway:prompt-not-in-this-state")
    await admin(gateway, "POST", f"/prompts/{id}/retry", 409)


async def test_given_another_version_than_it_is_at_then_it_is_not_cancelled(
    gateway: RunningService, outside: Outside
) -> None:
    outside.packages.held.clear()
    acme = await caller(gateway)
    id = (await acme.send(data_url=DATA_URL))["id"]
    seen = await acme.sees(id, "preparing")

    stale = await acme.request("POST", f"/prompts/{id}/cancel", headers={"If-Match": f'"{seen["version"] - 1}"'})
    good = await acme.request("POST", f"/prompts/{id}/cancel", headers={"If-Match": f'"{seen["version"]}"'})

    assert (stale.status_code, good.status_code) == (412, 202)
    outside.packages.held.set()


async def test_given_an_admin_then_they_may_cancel_what_is_others(gateway: RunningService, outside: Outside) -> None:
    outside.packages.held.clear()
    acme = await caller(gateway)
    id = (await acme.send(data_url=DATA_URL))["id"]

    cancelled = await admin(gateway, "POST", f"/prompts/{id}/cancel", 202)

    assert cancelled["status"] == "cancelled"
    outside.packages.held.set()


async def test_given_data_that_was_refused_when_it_is_retried_then_it_is_fetched_anew(
    gateway: RunningService, outside: Outside
) -> None:
    outside.packages.failures = [DataRefused("not-found", "There is nothing.")]
    acme = await caller(gateway)
    id = (await acme.send(data_url=DATA_URL))["id"]
    await acme.sees(id, "faulted")

    retried = await admin(gateway, "POST", f"/prompts/{id}/retry", 200, headers={"Prefer": "wait=10"})

    assert (retried["status"], retried["error"], retried["attempts"]) == ("completed", None, 1)
    assert len(outside.packages.fetched) == 2


async def test_given_data_that_is_there_when_it_is_retried_then_it_is_not_fetched_again(
    gateway: RunningService, outside: Outside
) -> None:
    outside.genai.answers = [GenAiRefused("It is refused.")]
    acme = await caller(gateway)
    id = (await acme.send(data_url=DATA_URL))["id"]
    await acme.sees(id, "faulted")

    retried = await admin(gateway, "POST", f"/prompts/{id}/retry", 200, headers={"Prefer": "wait=10"})

    assert (retried["status"], retried["attempts"], len(outside.packages.fetched)) == ("completed", 2, 1)
