"""The way back: answers to the gateway, with a token of the issuer."""

from typing import Any, Final

import httpx
import tenacity

from deployment.agent.settings import AgentSettings

_SECONDS: Final = 30.0
_TOO_MANY_REQUESTS: Final = 429
_SCOPE: Final = "prompts:respond"


class NotTaken(Exception):
    """The gateway or the issuer could not answer; it may the next time."""


class Answers:
    """Brings answers, again and again until the gateway has taken or refused them."""

    def __init__(self, settings: AgentSettings, http: httpx.AsyncClient) -> None:
        self._settings = settings
        self._http = http

    async def bring(
        self, prompt_id: str, attempt: int, response: dict[str, Any], traceparent: str | None = None
    ) -> int:
        """The status with which the gateway has taken or refused an answer. It belongs to the trace that the prompt
        came with (W3C Trace Context, 3.2).

        Raises:
            tenacity.RetryError: it did neither in time.
        """
        again = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type((httpx.HTTPError, NotTaken)),
            wait=tenacity.wait_random_exponential(multiplier=0.05, max=1),
            stop=tenacity.stop_after_delay(_SECONDS),
        )
        trace = {"traceparent": traceparent} if traceparent else {}
        return await again(self._bring_once, prompt_id, {"response": response, "attempt": attempt}, trace)

    async def _bring_once(self, prompt_id: str, body: dict[str, Any], trace: dict[str, str]) -> int:
        url = f"{self._settings.gateway_url}/api/v1/internal/prompts/{prompt_id}/response"
        headers = {"Authorization": f"Bearer {await self._token()}", **trace}
        answer = await self._http.post(url, json=body, headers=headers)
        if answer.is_server_error or answer.status_code == _TOO_MANY_REQUESTS:
            raise NotTaken(f"the gateway answers {answer.status_code}")
        return answer.status_code

    async def _token(self) -> str:
        """A new one each time: an agent that has slept for long has none that is good (RFC 6749, section 4.4)."""
        who = (self._settings.agent_client, self._settings.agent_secret.get_secret_value())
        form = {"grant_type": "client_credentials", "scope": _SCOPE}
        described = await self._http.get(self._settings.described_at)
        if not described.is_success:
            raise NotTaken(f"the issuer answers {described.status_code}")
        answer = await self._http.post(described.json()["token_endpoint"], data=form, auth=who)
        if not answer.is_success:
            raise NotTaken(f"the issuer answers {answer.status_code}")
        return str(answer.json()["access_token"])
