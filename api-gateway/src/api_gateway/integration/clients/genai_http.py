"""One request to a GenAI service over HTTP, and what its end says about the prompt: done, not done, or nobody knows."""

import asyncio
import json
from dataclasses import dataclass
from typing import Final

import httpx
from pydantic import JsonValue

from api_gateway.integration.ports import GenAiRefused, GenAiUnclear
from neuroglia.core import Clock, Unavailable
from neuroglia.mvc.retrying import retry_after
from neuroglia.observability import trace_headers

_MOST_READ: Final = 4 * 1024 * 1024
_CONNECT_S: Final = 5.0
_PROBE_S: Final = 5.0
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_NOT_NOW: Final = {429, 503}
_OK: Final = 200
_REFUSED_FROM: Final = 300
_FAILED_FROM: Final = 500
_UNCLEAR: Final = {408, 409, 425}


@dataclass(frozen=True, slots=True)
class Answer:
    """A status below 300 or one that was expected, and the body."""

    status: int
    media_type: str
    body: bytes


class GenAiHttp:
    """Connections are not kept: one that the service closes at the wrong moment would leave it open whether it has
    taken the prompt. Redirects are not followed. Of the environment, `SSL_CERT_FILE` alone counts: a service inside has
    an authority of its own."""

    def __init__(self, *, api_key: str | None, clock: Clock, timeout_s: float) -> None:
        headers = {"user-agent": "neuroglia-api-gateway", "accept-encoding": "identity", "connection": "close"}
        if api_key:
            headers["authorization"] = f"Bearer {api_key}"
        self._clock = clock
        self._timeout_s = timeout_s
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(timeout_s, connect=_CONNECT_S),
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=0),
            trust_env=False,
            verify=httpx.create_ssl_context(),
        )

    async def post(self, url: str, body: JsonValue, *, key: str, expected: frozenset[int] = frozenset()) -> Answer:
        """Sends a prompt. Statuses in `expected` are the caller's to judge.

        Raises:
            Unavailable: it was certainly not taken: there was no connection, or the answer is 429 or 503.
            GenAiRefused: it cannot be written, the service does not want it, or its answer is beyond all bounds.
            GenAiUnclear: the connection broke, the time ran out, or the service failed.
        """
        content = to_json(body).encode()
        headers = {"idempotency-key": key, "content-type": "application/json", **trace_headers()}
        try:
            async with asyncio.timeout(self._timeout_s):
                async with self._client.stream("POST", url, content=content, headers=headers) as answer:
                    if answer.status_code not in expected:
                        self._judge(answer)
                    return Answer(answer.status_code, _media_type(answer), await _bounded(answer))
        except _NOT_SENT as error:
            raise Unavailable(f"the GenAI service cannot be reached: {type(error).__name__}") from None
        except (httpx.HTTPError, TimeoutError) as error:
            raise GenAiUnclear(f"the GenAI service did not answer to the end: {type(error).__name__}") from None

    async def get(self, url: str) -> None:
        """Asks for something that is always there.

        Raises:
            Unavailable: it does not answer, or not with 200.
        """
        try:
            async with asyncio.timeout(_PROBE_S), self._client.stream("GET", url, headers=trace_headers()) as answer:
                status = answer.status_code
        except (httpx.HTTPError, TimeoutError) as error:
            raise Unavailable(f"the GenAI service does not answer: {type(error).__name__}") from None
        if status != _OK:
            raise Unavailable(f"the GenAI service answers {status}")

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._client.aclose()

    def _judge(self, answer: httpx.Response) -> None:
        """The bodies of refusals are not shown: they may name the key, or other customers."""
        status, text = answer.status_code, f"the GenAI service answers {answer.status_code}"
        if status in _NOT_NOW:
            asked = retry_after(answer.headers.get("retry-after", ""), self._clock.now())
            raise Unavailable(text, retry_after=asked)
        if status in _UNCLEAR or status >= _FAILED_FROM:
            raise GenAiUnclear(text)
        if status >= _REFUSED_FROM:
            raise GenAiRefused(text)


async def _bounded(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for piece in answer.aiter_raw():  # compressed, it could become anything
        body += piece
        if len(body) > _MOST_READ:
            raise GenAiRefused("the GenAI service's answer is too large")
    return bytes(body)


def _media_type(answer: httpx.Response) -> str:
    return str(answer.headers.get("content-type", "")).partition(";")[0].strip().lower()


def to_json(value: JsonValue) -> str:
    """JSON in ASCII: half a surrogate pair is written as it came.

    Raises:
        GenAiRefused: there is a number in it that JSON has no word for.
    """
    try:
        return json.dumps(value, allow_nan=False, sort_keys=True)
    except ValueError:
        raise GenAiRefused("the prompt holds a number that is none in JSON") from None
