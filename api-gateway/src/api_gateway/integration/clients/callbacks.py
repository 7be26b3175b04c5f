"""Callbacks over HTTP, through the guard."""

import asyncio
from typing import Final

import httpx

from api_gateway.integration.clients.signatures import CallbackSecrets
from api_gateway.integration.ports import CallbackFailed, CallbackRefused
from neuroglia.core import Clock
from neuroglia.mvc.retrying import retry_after
from neuroglia.observability import trace_headers

CALLBACK_TIMEOUT: Final = httpx.Timeout(10, connect=5)
_WHOLE_S: Final = 15.0
_LATER: Final = {408, 425, 429}
_FAILED_FROM: Final = 500


class HttpCallbacks:
    """POSTs what is signed. Of the answer only the head is read, for nothing else is wanted of it."""

    def __init__(
        self, http: httpx.AsyncClient, secrets: CallbackSecrets, clock: Clock, *, seconds: float = _WHOLE_S
    ) -> None:
        self._http = http
        self._secrets = secrets
        self._clock = clock
        self._seconds = seconds

    async def deliver(self, url: str, body: bytes, *, id: str, caller_id: str, attempt: int) -> None:
        headers = {
            **self._secrets.headers(id, caller_id, body, self._clock.now()),
            "content-type": "application/json",
            "webhook-attempt": str(attempt),
            **trace_headers(),
        }
        try:
            async with (
                asyncio.timeout(self._seconds),
                self._http.stream("POST", url, content=body, headers=headers) as answer,
            ):
                self._judge(answer)
        except (httpx.HTTPError, TimeoutError) as error:
            raise CallbackFailed(f"the callback was not answered: {type(error).__name__}") from None

    def secret_of(self, caller_id: str) -> str:
        return self._secrets.of(caller_id)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    def _judge(self, answer: httpx.Response) -> None:
        if answer.is_success:
            return
        text = f"the callback was answered with {answer.status_code}"
        if answer.status_code in _LATER or answer.status_code >= _FAILED_FROM:
            asked = retry_after(answer.headers.get("retry-after", ""), self._clock.now())
            raise CallbackFailed(text, retry_after=asked)
        raise CallbackRefused(text)
