"""Prompts from their sending to their end."""

from neuroglia.testing import RunningService
from tests.api_gateway.callers import CALLBACK, PROMPT, caller
from tests.api_gateway.doubles import Outside


async def test_given_a_prompt_then_it_is_completed(gateway: RunningService, outside: Outside) -> None:
    acme = await caller(gateway)

    sent = await acme.send()
    done = await acme.sees(sent["id"], "completed")

    assert done["response"] == {"text": f"an answer to {PROMPT['context']}"}
    assert (done["attempts"], done["is_final"], done["caller_id"]) == (1, True, "acme")
    assert [key for key, _ in outside.genai.asked] == [f"{sent['id']}:1"]


async def test_given_a_callback_url_then_the_caller_is_called_back(gateway: RunningService, outside: Outside) -> None:
    acme = await caller(gateway)

    sent = await acme.send(callback_url=CALLBACK, data_url="https://caller.example/data.zip")
    done = await acme.sees(sent["id"], "responded")

    ((url, body),) = outside.callbacks.delivered
    assert (url, body["id"], body["response"]) == (CALLBACK, sent["id"], done["response"])
    assert done["data_object"] == {"media_type": "application/zip", "size": 7, "sha256": "ab" * 32}
