"""Callers of the gateway: each with a key of its own."""

from collections.abc import Sequence
from typing import Any

import httpx

from neuroglia.security.api_keys import ApiKeys
from neuroglia.testing import RunningService
from tests.support.waiting import eventually

API = "/api/v1"
MAY_ALL = ("prompts:create", "prompts:read")
PROMPT = {"kind": "chat", "context": {"text": "hello"}}
CALLBACK = "https://caller.example/callback"


class Caller:
    """Somebody with an API key. Says nothing of a token."""

    def __init__(self, gateway: RunningService, secret: str) -> None:
        self._client = gateway.client
        self.headers = {"X-API-Key": secret}

    async def request(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Sends a request below the API."""
        made = self._client.build_request(method, API + path, **request)
        made.headers.update(self.headers)
        del made.headers["authorization"]
        return await self._client.send(made)

    async def send(self, status: int = 201, headers: dict[str, str] | None = None, **fields: Any) -> Any:
        """Sends a prompt, and returns the answer's body."""
        response = await self.request("POST", "/prompts", json={**PROMPT, **fields}, headers=headers or {})
        assert response.status_code == status, response.text
        return response.json()

    async def see(self, id: str) -> Any:
        """The prompt as it is now."""
        response = await self.request("GET", f"/prompts/{id}")
        assert response.status_code == 200, response.text
        return response.json()

    async def sees(self, id: str, status: str) -> Any:
        """Waits until the prompt is in this state, and returns it."""

        async def is_so() -> bool:
            return bool((await self.see(id))["status"] == status)

        await eventually(is_so)
        return await self.see(id)


async def caller(
    gateway: RunningService, id: str = "acme", permissions: Sequence[str] = MAY_ALL, rate_limit: str = "9999/minute"
) -> Caller:
    """Gives somebody a key."""
    keys = await gateway.services.get(ApiKeys)
    issued = await keys.issue(id, permissions, rate_limit)
    return Caller(gateway, issued.secret.get_secret_value())


async def admin(gateway: RunningService, method: str, path: str, status: int, **request: Any) -> Any:
    """An admin sends a request; returns the answer's body."""
    headers = {**gateway.tokens.bearer(["gateway:admin"], sub="admin"), **request.pop("headers", {})}
    response = await gateway.client.request(method, API + path, headers=headers, **request)
    assert response.status_code == status, response.text
    return response.json() if response.content else None


async def agent(gateway: RunningService, id: str, response: Any, status: int, attempt: int | None = None) -> Any:
    """An agent brings a response; returns the answer's body."""
    body = {"response": response} if attempt is None else {"response": response, "attempt": attempt}
    headers = gateway.tokens.bearer(["prompts:respond"], sub="agent")
    answer = await gateway.client.post(f"{API}/internal/prompts/{id}/response", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    return answer.json()
