"""A GenAI agent of our own: it takes a prompt, and answers later through the gateway's internal endpoint."""

from dataclasses import asdict
from typing import Final

from pydantic import JsonValue

from api_gateway.integration.clients.genai_http import GenAiHttp
from api_gateway.integration.ports import GenAiUnclear, Reply, Submission

_ACCEPTED: Final = frozenset({202, 409})
"""409: it has this key already, so it was taken the first time."""


class AgentGenAi:
    """`agent+http://host`: POSTs to `/submissions` below it."""

    answers_later = True

    def __init__(self, base_url: str, http: GenAiHttp) -> None:
        self._base_url = base_url.rstrip("/")
        self._http = http

    async def submit(self, prompt: Submission, *, key: str) -> Reply | None:
        body: dict[str, JsonValue] = {
            "prompt_id": prompt.prompt_id,
            "attempt": prompt.attempt,
            "kind": prompt.kind,
            "context": dict(prompt.context),
            "data_object": None if prompt.data_object is None else asdict(prompt.data_object),
        }
        answer = await self._http.post(f"{self._base_url}/submissions", body, key=key, expected=_ACCEPTED)
        if answer.status not in _ACCEPTED:
            raise GenAiUnclear(f"the GenAI agent answers {answer.status}, and not that it has accepted")
        return None

    async def probe(self) -> None:
        await self._http.get(f"{self._base_url}/health/ready")

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()
