"""Prompts from their sending to their end."""

from typing import Any

import httpx
import pytest

from api_gateway.integration.ports import CallbackFailed, CallbackRefused, DataRefused, UrlRefused
from neuroglia.core import Unavailable
from neuroglia.testing import RunningService
from tests.api_gateway.callers import API, CALLBACK, PROMPT, Caller, admin, caller
from tests.api_gateway.doubles import Outside

pytestmark = pytest.mark.service

DATA_URL = "https://caller.example/data.zip"
LARGEST = 256 * 1024
"""Bytes of a context, or of a response."""
LONGEST_PAGE = 4 * 1024 * 1024 + 10 * (2 * LARGEST + 10_000)
"""Where it ends, and what is fetched in one go."""
NEVER = {"data_object", "response", "error", "prepared_at", "submitted_at", "completed_at", "responded_at"}


async def test_given_a_prompt_then_it_is_stored_and_shown_before_anything_is_done(
    gateway: RunningService, outside: Outside
) -> None:
    outside.packages.held.clear()
    acme = await caller(gateway)

    response = await acme.request("POST", "/prompts", json={**PROMPT, "data_url": DATA_URL, "request_id": "r-1"})

    sent = response.json()
    assert (response.status_code, response.headers["location"]) == (201, f"{API}/prompts/{sent['id']}")
    assert response.headers["etag"] == f'"{sent["version"]}"'
    assert (sent["status"], sent["kind"], sent["context"], sent["caller_id"]) == (
        "created", "chat", PROMPT["context"], "acme",
    )  # fmt: skip
    assert (sent["data_url"], sent["request_id"], sent["attempts"], sent["is_final"]) == (DATA_URL, "r-1", 0, False)
    assert all(sent[name] is None for name in NEVER)
    await acme.sees(sent["id"], "preparing")
    outside.packages.held.set()


async def test_given_a_prompt_then_it_is_completed(gateway: RunningService, outside: Outside) -> None:
    acme = await caller(gateway)

    sent = await acme.send()
    done = await acme.sees(sent["id"], "completed")

    assert done["response"] == {"text": f"an answer to {PROMPT['context']}"}
    assert (done["attempts"], done["is_final"], done["caller_id"]) == (1, True, "acme")
    assert [key for key, _ in outside.genai.asked] == [f"{sent['id']}:1"]
    assert outside.packages.fetched == []


async def test_given_a_callback_url_then_the_caller_is_called_back(gateway: RunningService, outside: Outside) -> None:
    acme = await caller(gateway)

    sent = await acme.send(callback_url=CALLBACK, data_url=DATA_URL, request_id="r-1")
    done = await acme.sees(sent["id"], "responded")

    ((url, body),) = outside.callbacks.delivered
    assert (url, body["id"], body["request_id"], body["kind"]) == (CALLBACK, sent["id"], "r-1", "chat")
    assert (body["response"], body["completed_at"]) == (done["response"], done["completed_at"])
    assert outside.packages.fetched == [(DATA_URL, sent["id"])]
    assert done["data_object"] == {"media_type": "application/zip", "size": 7, "sha256": "ab" * 32}
    ((_, submission),) = outside.genai.asked
    assert submission.data_object is not None
    assert submission.data_object.key == sent["id"]


async def test_given_patience_then_the_answer_is_the_end(gateway: RunningService) -> None:
    acme = await caller(gateway)

    response = await acme.request("POST", "/prompts", json=PROMPT, headers={"Prefer": "wait=10"})

    assert (response.status_code, response.headers["preference-applied"]) == (200, "wait=10")
    assert response.json()["status"] == "completed"


@pytest.mark.parametrize(("code", "shown"), [("too-large", "data-too-large"), ("url-refused", "data-url-refused")])
async def test_given_data_that_is_not_taken_then_it_faults(
    gateway: RunningService, outside: Outside, code: str, shown: str
) -> None:
    outside.packages.failures = [DataRefused(code, "It is not taken.")]
    acme = await caller(gateway)

    sent = await acme.send(data_url=DATA_URL)
    done = await acme.sees(sent["id"], "faulted")

    assert (done["error"], done["is_final"]) == ({"code": shown, "detail": "It is not taken."}, True)
    assert outside.genai.asked == []


async def test_given_data_that_cannot_be_had_now_then_it_is_fetched_again(
    gateway: RunningService, outside: Outside
) -> None:
    outside.packages.failures = [Unavailable("down"), Unavailable("down")]
    acme = await caller(gateway)

    sent = await acme.send(data_url=DATA_URL)
    await acme.sees(sent["id"], "completed")

    assert len(outside.packages.fetched) == 3


@pytest.mark.parametrize("refusal", [CallbackRefused("410"), UrlRefused("private")])
async def test_given_a_callback_that_is_refused_for_good_then_it_faults_and_the_response_is_kept(
    gateway: RunningService, outside: Outside, refusal: Exception
) -> None:
    outside.callbacks.failures = [refusal]
    acme = await caller(gateway)

    sent = await acme.send(callback_url=CALLBACK)
    done = await acme.sees(sent["id"], "faulted")

    assert (done["error"]["code"], done["response"] is not None) == ("callback-refused", True)
    assert outside.callbacks.attempts == [1]
    await admin(gateway, "POST", f"/prompts/{sent['id']}/retry", 202)
    await acme.sees(sent["id"], "responded")
    assert len(outside.genai.asked) == 1


async def test_given_a_callback_that_fails_then_it_is_tried_again(gateway: RunningService, outside: Outside) -> None:
    outside.callbacks.failures = [CallbackFailed("503")]
    acme = await caller(gateway)

    sent = await acme.send(callback_url=CALLBACK)
    await acme.sees(sent["id"], "responded")

    assert outside.callbacks.attempts == [1, 2]
    assert len(outside.callbacks.delivered) == 1


async def test_pages_show_the_newest_first_by_state(gateway: RunningService, outside: Outside) -> None:
    acme = await caller(gateway)
    ids = [(await acme.send())["id"] for _ in range(5)]
    for id in ids:
        await acme.sees(id, "completed")

    async def page(**query: Any) -> Any:
        response = await acme.request("GET", "/prompts", params=query)
        assert response.status_code == 200, response.text
        return response.json()

    first = await page(limit=2, status="completed")
    second = await page(limit=3, status="completed", cursor=first["next_cursor"])
    assert [one["id"] for one in [*first["items"], *second["items"]]] == ids[::-1]
    assert second["next_cursor"] is None
    assert (await page(status="faulted"))["items"] == []
    assert (await acme.request("GET", "/prompts", params={"cursor": first["next_cursor"]})).status_code == 400
    assert (await acme.request("GET", "/prompts", params={"limit": 201})).status_code == 422
    assert (await acme.request("GET", "/prompts", params={"status": "gone"})).status_code == 422


@pytest.mark.parametrize(("limit", "sizes"), [(15, [15, 10]), (25, [25]), (200, [25])])
async def test_given_small_prompts_then_a_page_holds_as_many_as_were_asked_for(
    gateway: RunningService, limit: int, sizes: list[int]
) -> None:
    acme = await caller(gateway)
    ids = [(await acme.send())["id"] for _ in range(25)]

    pages = [response.json()["items"] for response in await all_pages(acme, limit)]

    assert [len(page) for page in pages] == sizes
    assert [one["id"] for page in pages for one in page] == ids[::-1]


async def test_given_large_prompts_then_a_page_is_bounded_and_its_cursor_goes_on(gateway: RunningService) -> None:
    acme = await caller(gateway)
    large = {"text": "\u00e9" * (LARGEST // 2 - 10)}
    ids = [(await acme.send(context=large))["id"] for _ in range(40)]

    responses = await all_pages(acme, 200)

    assert max(len(response.content) for response in responses) < LONGEST_PAGE
    assert [one["id"] for response in responses for one in response.json()["items"]] == ids[::-1]


async def all_pages(acme: Caller, limit: int) -> list[httpx.Response]:
    """All that the caller sees, page by page."""
    pages, cursor = list[httpx.Response](), dict[str, str]()
    while True:
        response = await acme.request("GET", "/prompts", params={"limit": limit, **cursor})
        assert response.status_code == 200, response.text
        pages.append(response)
        if (following := response.json()["next_cursor"]) is None:
            return pages
        cursor = {"cursor": following}
