"""What the gateway's `agent+http://` speaks to, and a page that tells what came of it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, Any, Final

import httpx
from fastapi import FastAPI, Header, HTTPException
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from pydantic import BaseModel, Field

from deployment.agent.answers import Answers
from deployment.agent.settings import AgentSettings

_SWITCH: Final = "agent"
_TIMEOUT_S: Final = 10.0


class Submission(BaseModel):
    """A prompt. `{"agent": "…"}` in its context tells how the agent is to behave: `refuse`, `never` answer, answer
    `twice`, or twice and the second time `differently`."""

    prompt_id: str
    attempt: int = Field(ge=1)
    kind: str
    context: dict[str, Any]
    data_object: dict[str, Any] | None = None

    @property
    def responses(self) -> list[dict[str, Any]]:
        """What the agent has to say, one after the other: to the same prompt always the same."""
        data = self.data_object and self.data_object["sha256"]
        told = {"kind": self.kind, "echo": self.context, "data_sha256": data}
        first, other = {"text": "This is an answer.", **told}, {"text": "This is another answer.", **told}
        by_switch = {"never": [], "twice": [first, first], "differently": [first, other]}
        return by_switch.get(str(self.context.get(_SWITCH)), [first])


class Taken(BaseModel):
    """A submission that was taken, and with which statuses the gateway has answered to its answers so far."""

    submission: Submission
    times: int = 1
    statuses: list[int] = Field(default_factory=list[int])


def create_app(settings: AgentSettings) -> FastAPI:
    """The agent as an ASGI application."""
    taken: dict[str, Taken] = {}
    working: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        async with httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False) as http:
            app.state.answers = Answers(settings, http)
            yield
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)

    app = FastAPI(title="Stand-in agent", openapi_url=None, lifespan=lifespan)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(settings.agent_hosts))

    async def answer(entry: Taken, traceparent: str | None) -> None:
        submission, answers = entry.submission, app.state.answers
        for response in submission.responses:
            status = await answers.bring(submission.prompt_id, submission.attempt, response, traceparent)
            entry.statuses.append(status)

    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/submissions", status_code=202)
    async def submit(
        submission: Submission,
        idempotency_key: Annotated[str, Header(min_length=1)],
        traceparent: Annotated[str | None, Header()] = None,
    ) -> dict[str, str]:
        if submission.context.get(_SWITCH) == "refuse":
            raise HTTPException(422, "The agent was told to refuse.")
        if (known := taken.get(idempotency_key)) is not None:
            known.times += 1
            raise HTTPException(409, "The agent has this prompt already.")
        taken[idempotency_key] = Taken(submission=submission)
        if len(taken) > settings.agent_prompts:
            del taken[next(iter(taken))]
        task = asyncio.create_task(answer(taken[idempotency_key], traceparent))
        working.add(task)
        task.add_done_callback(working.discard)
        return {"status": "accepted"}

    @app.get("/submissions")
    async def submissions() -> dict[str, Taken]:
        return taken

    return app
