"""A prompt's steps as Server-Sent Events: whoever takes them, and wherever one goes on."""

import asyncio
import json
from typing import Any

import pytest

from api_gateway.integration.ports import GenAiRefused
from neuroglia.core.lifecycle import Stopping
from neuroglia.documents import DocumentStore
from neuroglia.testing import InMemoryDocumentStore, RunningService, running
from tests.api_gateway.callers import API, Caller, agent, caller
from tests.api_gateway.conftest import builder_on
from tests.api_gateway.doubles import Outside

pytestmark = pytest.mark.service

STATES = ["created", "preparing", "prepared", "submitted", "completed"]


def events(text: str) -> list[dict[str, Any]]:
    """What stands in a stream, without its signs of life."""
    found: list[dict[str, Any]] = []
    for block in text.replace("\r\n", "\n").split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if line and not line.startswith(":"))
        if fields:
            found.append({"event": fields["event"], "id": fields.get("id"), "data": json.loads(fields["data"])})
    return found


async def follow(acme: Caller, id: str, after: str | None = None) -> list[dict[str, Any]]:
    headers = {} if after is None else {"Last-Event-ID": after}
    response = await acme.request("GET", f"/prompts/{id}/events", headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"].startswith("text/event-stream")
    return events(response.text)


async def test_given_a_final_prompt_then_all_its_steps_are_sent(gateway: RunningService) -> None:
    acme = await caller(gateway)
    id = (await acme.send())["id"]
    await acme.sees(id, "completed")

    sent = await follow(acme, id)

    assert [one["event"] for one in sent] == [*STATES, "end"]
    assert [one["data"]["status"] for one in sent[:-1]] == STATES
    assert [int(one["id"]) for one in sent[:-1]] == [one["data"]["number"] for one in sent[:-1]]
    assert sent[3]["data"]["attempt"] == 1


@pytest.mark.parametrize("seen", range(6))
async def test_given_the_last_id_then_it_goes_on_behind_it(gateway: RunningService, seen: int) -> None:
    acme = await caller(gateway)
    id = (await acme.send())["id"]
    await acme.sees(id, "completed")
    ids = ["0", *(one["id"] for one in (await follow(acme, id))[:-1])]

    sent = await follow(acme, id, ids[seen])

    assert [one["event"] for one in sent] == [*STATES[seen:], "end"]


async def test_given_another_replica_that_takes_the_steps_then_they_are_seen_here(outside: Outside) -> None:
    outside.genai.answers_later = True
    store = InMemoryDocumentStore()
    apps = [builder_on(outside) for _ in range(2)]
    for builder in apps:
        builder.services.add_singleton(DocumentStore, lambda: store)
    async with running(apps[0].build()) as one, running(apps[1].build()) as other:
        acme = await caller(one)
        elsewhere = Caller(other, acme.headers["X-API-Key"])
        id = (await acme.send())["id"]
        await acme.sees(id, "submitted")

        following = asyncio.create_task(follow(elsewhere, id))
        await agent(one, id, {"text": "an answer"}, 200)

        assert [event["event"] for event in await following] == [*STATES, "end"]


async def test_given_a_fault_then_its_reason_is_told(gateway: RunningService, outside: Outside) -> None:
    outside.genai.answers = [GenAiRefused("It is refused.")]
    acme = await caller(gateway)
    id = (await acme.send())["id"]

    sent = await follow(acme, id)

    assert sent[-2]["data"]["error"] == {"code": "submission-refused", "detail": "It is refused."}


async def test_given_a_service_that_stops_then_the_stream_ends_without_an_end(outside: Outside) -> None:
    outside.genai.answers_later = True
    async with running(builder_on(outside).build()) as gateway:
        acme = await caller(gateway)
        id = (await acme.send())["id"]
        await acme.sees(id, "submitted")
        following = asyncio.create_task(follow(acme, id))

        (await gateway.services.get(Stopping)).set()

        assert [event["event"] for event in await following] == STATES[:4]


async def test_given_no_such_prompt_then_there_is_no_stream(gateway: RunningService) -> None:
    acme = await caller(gateway)
    assert (await acme.request("GET", "/prompts/x/events")).status_code == 404
    headers = gateway.tokens.bearer(["prompts:respond"])
    assert (await gateway.client.get(f"{API}/prompts/x/events", headers=headers)).status_code == 403
