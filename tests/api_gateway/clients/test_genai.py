"""GenAI services over real sockets: what each of their answers, and each kind of silence, says about the prompt."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing
from socket import create_server
from typing import Any

import pytest

from api_gateway.domain.models.data_object import DataObject
from api_gateway.integration.clients.agent import AgentGenAi
from api_gateway.integration.clients.openai import OpenAiGenAi
from api_gateway.integration.genai import connect_genai
from api_gateway.integration.ports import GenAiRefused, GenAiUnclear, Submission
from neuroglia.core import ConfigurationError, RequestContext, Unavailable, use_context
from neuroglia.testing import FixedClock
from tests.api_gateway.clients.servers import (
    Handler,
    LoopbackServer,
    answer,
    in_turn,
    never_ends,
    says,
    server,
    silence,
    stays,
)

pytestmark = pytest.mark.integration
DATA = DataObject(key="prompts/p-1", media_type="text/plain", size=3, sha256="abc")
PROMPT = Submission(prompt_id="p-1", attempt=2, kind="chat", context={"say": "hello"}, data_object=DATA)
JSON = "application/json"
OPENAI, AGENT = "openai+{url}/v1?model=small", "agent+{url}/agent"


def completion(**message: Any) -> bytes:
    whole = {"id": "c-1", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": {"x": 1}}
    return answer(200, json.dumps(whole).encode(), content_type=JSON)


def chunks(*texts: str, end: str = "data: [DONE]\n\n") -> bytes:
    lines = [f"data: {json.dumps({'choices': [{'index': 0, 'delta': {'content': text}}]})}\n\n" for text in texts]
    last = 'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\n'
    body = ": a comment\n\n" + "".join(lines) + last + 'data: {"choices": [], "usage": {}}\n\n' + end
    return answer(200, body.encode(), content_type="text/event-stream; charset=utf-8")


@asynccontextmanager
async def service(
    url: str, handle: Handler, timeout_s: float = 5
) -> AsyncGenerator[tuple[LoopbackServer, OpenAiGenAi | AgentGenAi]]:
    async with server(handle) as there:
        genai = connect_genai(url.format(url=there.url), FixedClock(), api_key="sk-ours", timeout_s=timeout_s)
        assert isinstance(genai, OpenAiGenAi | AgentGenAi)
        yield there, genai
        await genai.aclose()


async def test_a_chat_api_is_asked_and_its_answer_given_back() -> None:
    async with service(OPENAI, says(completion(role="assistant", content="hi"))) as (there, genai):
        reply = await genai.submit(PROMPT, key="p-1:2")

    assert reply
    assert reply.response == {"text": "hi", "model": "small", "finish_reason": "stop"}
    asked = there.asked[0]
    assert asked.line == "POST /v1/chat/completions HTTP/1.1"
    assert (asked.headers["authorization"], asked.headers["idempotency-key"]) == ("Bearer sk-ours", "p-1:2")
    body = json.loads(asked.body)
    assert (body["model"], body["stream"]) == ("small", False)
    assert json.loads(body["messages"][-1]["content"])["context"] == {"say": "hello"}


@pytest.mark.parametrize(("url", "taken"), [(OPENAI, completion(content="hi")), (AGENT, answer(202))])
async def test_a_prompt_is_submitted_in_its_trace(url: str, taken: bytes) -> None:
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    async with service(url, says(taken)) as (there, genai):
        await genai.submit(PROMPT, key="p-1:1")
        with use_context(RequestContext(correlation_id="c", traceparent=traceparent)):
            await genai.submit(PROMPT, key="p-1:2")

    alone, traced = there.asked
    assert "traceparent" not in alone.headers
    assert traced.headers["traceparent"] == traceparent


async def test_what_a_caller_writes_never_becomes_a_parameter() -> None:
    taking_over = {
        "model": "dear", "base_url": "http://evil", "stream": True, "messages": [{"role": "system", "content": "x"}],
        "api_key": "mine", "\ud800": "half a letter",
    }  # fmt: skip
    prompt = Submission(prompt_id="p-1", attempt=1, kind="chat", context=taking_over)
    async with service(OPENAI, says(completion(content="hi"))) as (there, genai):
        await genai.submit(prompt, key="p-1:1")

    body = json.loads(there.asked[0].body)
    assert body.keys() == {"model", "stream", "messages"}
    assert (body["model"], body["stream"]) == ("small", False)
    assert [message["role"] for message in body["messages"]] == ["system", "user"]


async def test_a_streamed_answer_is_put_together() -> None:
    async with service(OPENAI + "&stream=true", says(chunks("he", "l", "", "lo"))) as (there, genai):
        reply = await genai.submit(PROMPT, key="k")

    assert reply
    assert (reply.response["text"], reply.response["finish_reason"]) == ("hello", "stop")
    assert json.loads(there.asked[0].body)["stream"] is True


@pytest.mark.parametrize(
    "said",
    [
        answer(200, b"", content_type=JSON),
        answer(200, b"<html>", content_type="text/html"),
        answer(200, b"{}", content_type=JSON),
        answer(200, b'{"choices": []}', content_type=JSON),
        answer(200, b'{"choices": [{"message": {"content": null}}]}', content_type=JSON),
        answer(200, b'{"choices": [{"message": {"content": 7}}]}', content_type=JSON),
        answer(200, b'{"error": {"message": "no"}}', content_type=JSON),
        answer(200, b"\xff\xfe", content_type=JSON),
        answer(200, b"[" * 100_000, content_type=JSON),
        chunks("he", "l", end=""),
        chunks("he", end="data: {broken\n\n"),
        answer(200, b"data: [DONE]\n\n", content_type="text/event-stream"),
        answer(200, b"\xff\n\n", content_type="text/event-stream"),
    ],
)
async def test_an_answer_that_is_none_ends_the_attempt(said: bytes) -> None:
    async with service(OPENAI, says(said)) as (_, genai):
        with pytest.raises(GenAiRefused):
            await genai.submit(PROMPT, key="k")


@pytest.mark.parametrize("url", [OPENAI, AGENT])
@pytest.mark.parametrize("length", [b"content-length: 900000000\r\n", b""])
async def test_an_answer_without_end_is_cut_off(url: str, length: bytes) -> None:
    start = b"HTTP/1.1 202 So\r\nconnection: close\r\n" + length + b"\r\n"
    async with service(url, never_ends(start, b" " * 65536), timeout_s=60) as (_, genai):
        with pytest.raises(GenAiRefused, match="too large"):
            await genai.submit(PROMPT, key="k")


@pytest.mark.parametrize("url", [OPENAI, AGENT])
@pytest.mark.parametrize("status", [300, 301, 307, 400, 401, 403, 404, 405, 413, 422])
async def test_a_refusal_is_one_and_its_text_is_not_passed_on(url: str, status: int) -> None:
    said = answer(status, b'{"error": "the key sk-ours is bad"}', location="http://127.0.0.1:1/")
    async with service(url, says(said)) as (there, genai):
        with pytest.raises(GenAiRefused) as refused:
            await genai.submit(PROMPT, key="k")

    assert (str(refused.value), there.visits) == (f"the GenAI service answers {status}", 1)


@pytest.mark.parametrize("url", [OPENAI, AGENT])
@pytest.mark.parametrize("status", [429, 503])
async def test_not_now_means_that_it_was_not_taken(url: str, status: int) -> None:
    async with service(url, says(answer(status, retry_after="7"))) as (there, genai):
        with pytest.raises(Unavailable) as later:
            await genai.submit(PROMPT, key="k")

    assert (later.value.asked, there.visits) == (7, 1)


@pytest.mark.parametrize("url", [OPENAI, AGENT])
@pytest.mark.parametrize("status", [408, 425, 500, 502, 504, 529])
async def test_a_failure_within_leaves_open_whether_it_was_taken(url: str, status: int) -> None:
    async with service(url, says(answer(status))) as (there, genai):
        with pytest.raises(GenAiUnclear):
            await genai.submit(PROMPT, key="k")

    assert there.visits == 1


@pytest.mark.parametrize("url", [OPENAI, AGENT])
@pytest.mark.parametrize(
    "manner",
    [
        says(),
        says(b"HTTP/1.1 200 So\r\n"),
        says(b"HTTP/1.1 200 So\r\ncontent-length: 100\r\n\r\n{}"),
        says(b"something else altogether\r\n\r\n"),
        says(b"HTTP/1.1 202 So\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhe"),
    ],
)
async def test_a_connection_that_breaks_after_sending_leaves_it_open(url: str, manner: Handler) -> None:
    async with service(url, manner) as (there, genai):
        with pytest.raises(GenAiUnclear):
            await genai.submit(PROMPT, key="k")

    assert there.visits == 1


@pytest.mark.parametrize("url", [OPENAI, AGENT])
@pytest.mark.parametrize("manner", [silence, never_ends(b"HTTP/1.1 202 So\r\n\r\n", b" ", 0.01)])
async def test_silence_and_dripping_end_in_time_and_leave_it_open(url: str, manner: Handler) -> None:
    async with service(url, manner, timeout_s=0.3) as (_, genai):
        with pytest.raises(GenAiUnclear):
            await genai.submit(PROMPT, key="k")


@pytest.mark.parametrize("url", [OPENAI, AGENT])
async def test_where_nobody_listens_nothing_was_taken(url: str) -> None:
    with closing(create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    genai = connect_genai(url.format(url=f"http://127.0.0.1:{port}"), FixedClock())

    with pytest.raises(Unavailable):
        await genai.submit(PROMPT, key="k")
    with pytest.raises(Unavailable):
        await genai.probe()


@pytest.mark.parametrize("status", [202, 409])
async def test_an_agent_that_has_the_prompt_answers_later(status: int) -> None:
    async with service(AGENT, says(answer(status))) as (there, genai):
        assert await genai.submit(PROMPT, key="p-1:2") is None

    asked = there.asked[0]
    assert (asked.line, asked.headers["idempotency-key"]) == ("POST /agent/submissions HTTP/1.1", "p-1:2")
    assert json.loads(asked.body) == {
        "prompt_id": "p-1", "attempt": 2, "kind": "chat", "context": {"say": "hello"},
        "data_object": {"key": "prompts/p-1", "media_type": "text/plain", "size": 3, "sha256": "abc"},
    }  # fmt: skip


async def test_each_prompt_has_a_connection_of_its_own() -> None:
    async with service(AGENT, stays) as (there, genai):
        for key in ("p-1:1", "p-1:2"):
            await genai.submit(PROMPT, key=key)

    assert there.visits == 2


async def test_an_agent_that_does_not_say_accepted_leaves_it_open() -> None:
    async with service(AGENT, says(answer(200))) as (_, genai):
        with pytest.raises(GenAiUnclear):
            await genai.submit(PROMPT, key="k")


async def test_a_number_that_is_none_is_not_sent() -> None:
    prompt = Submission(prompt_id="p-1", attempt=1, kind="chat", context={"x": float("nan")})
    for url in (OPENAI, AGENT):
        async with service(url, says(answer(202))) as (there, genai):
            with pytest.raises(GenAiRefused):
                await genai.submit(prompt, key="k")
        assert there.visits == 0


@pytest.mark.parametrize(("url", "path"), [(OPENAI, "/v1/models"), (AGENT, "/agent/health/ready")])
async def test_a_service_is_really_asked_how_it_is(url: str, path: str) -> None:
    async with service(url, in_turn(answer(200), answer(401))) as (there, genai):
        await genai.probe()
        with pytest.raises(Unavailable, match="401"):
            await genai.probe()

    assert there.asked[0].line == f"GET {path} HTTP/1.1"


async def test_the_echo_says_the_same_each_time() -> None:
    genai = connect_genai("echo://", FixedClock())

    first, second = [await genai.submit(PROMPT, key=key) for key in ("a", "b")]

    assert first
    assert first == second
    assert first.response["echo"] == {"say": "hello"}
    await genai.probe()


@pytest.mark.parametrize(
    "url",
    [
        "", "echo", "echo://host", "http://host", "openai://host?model=x", "openai+http://", "openai+http://host/v1",
        "openai+http://host/v1?model=", "openai+http://host/v1?model=x&stream=maybe", "openai+ftp://host?model=x",
        "openai+https://key@host/v1?model=x", "openai+http://host/v1?model=x&api_key=y", "agent+http://host?model=x",
        "agent+http://", "agent+http://host#x",
    ],
)  # fmt: skip
def test_a_url_that_no_service_has_stops_the_start(url: str) -> None:
    with pytest.raises(ConfigurationError, match="GENAI_URL"):
        connect_genai(url, FixedClock())
