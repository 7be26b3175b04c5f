"""`/prompts`."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Response
from fastapi.sse import EventSourceResponse, format_sse_event
from pydantic import StringConstraints

from api_gateway.api.fields import Id, Json, RequestModel, Url
from api_gateway.application.commands.cancel_prompt import CancelPrompt
from api_gateway.application.commands.create_prompt import CreatePrompt
from api_gateway.application.commands.retry_prompt import RetryPrompt
from api_gateway.application.queries.follow_prompt import FollowPrompt
from api_gateway.application.queries.get_prompt import GetPrompt
from api_gateway.application.queries.list_prompts import ListPrompts
from api_gateway.integration.models.prompts import PromptDto, PromptKind, PromptProgress, PromptStatus
from neuroglia.mvc import DEFAULT_LIMIT, ControllerBase, Cursor, Limit, Page, PreferredWait, get, post

_SEES: Final = ["prompts:read", "gateway:admin"]
_CHANGES: Final = ["prompts:create", "gateway:admin"]
_EVENTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "Its steps.", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
}
_KNOWN: Final = "This request id has come before, or the prompt was final within the time that `Prefer` gave it."
_WAITED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"model": PromptDto, "description": "It was final within the time that `Prefer` gave it."}
}

LastEventId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}$")]
Waiting = Annotated[PreferredWait, Depends()]


class PromptRequest(RequestModel):
    """What is asked, with what, and where the response shall go. The same `request_id` names the same prompt."""

    kind: PromptKind
    context: Json
    callback_url: Url | None = None
    data_url: Url | None = None
    request_id: Id | None = None


class PromptsController(ControllerBase):
    @post(
        status_code=201,
        location="/{id}",
        etag="version",
        scopes=["prompts:create"],
        responses={200: {"model": PromptDto, "description": _KNOWN}},
    )
    async def send(self, request: PromptRequest, response: Response, wait: Waiting) -> PromptDto:
        """Sends a prompt to the GenAI service; with `Prefer: wait=N` the answer waits for its end."""
        received = await self.mediator.execute(
            CreatePrompt(request.kind, request.context, request.callback_url, request.data_url, request.request_id)
        )
        if not received.is_new:
            response.status_code = 200
        return await self._final(received.prompt, wait)

    @get(scopes=_SEES)
    async def list(
        self, status: PromptStatus | None = None, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Page[PromptDto]:
        """Lists prompts, newest first: the caller's own, or all for an admin.

        A page of large prompts holds fewer than `limit`: only the one without a `next_cursor` is the last.
        """
        return await self.mediator.execute(ListPrompts(status, limit, cursor))

    @get("/{prompt_id}", etag="version", scopes=_SEES)
    async def show(self, prompt_id: str) -> PromptDto:
        """Shows how far a prompt is."""
        return await self.mediator.execute(GetPrompt(prompt_id))

    @get("/{prompt_id}/events", scopes=_SEES, response_class=Response, responses=_EVENTS)
    async def events(
        self,
        prompt_id: str,
        last_event_id: Annotated[LastEventId | None, Header(description="Go on behind this step.")] = None,
    ) -> Response:
        """Sends the prompt's steps as Server-Sent Events, until it is final. Their ids are its versions."""
        progress = await self.mediator.execute(FollowPrompt(prompt_id, int(last_event_id or 0)))
        return EventSourceResponse(_events(progress), headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})

    @post("/{prompt_id}/cancel", status_code=202, etag="version", scopes=_CHANGES)
    async def cancel(self, prompt_id: str) -> PromptDto:
        """Cancels a prompt that is not final."""
        return await self.mediator.execute(CancelPrompt(prompt_id))

    @post("/{prompt_id}/retry", status_code=202, etag="version", scopes=["gateway:admin"], responses=_WAITED)
    async def retry(self, prompt_id: str, wait: Waiting) -> PromptDto:
        """Lets a faulted prompt go on from where it had come to."""
        return await self._final(await self.mediator.execute(RetryPrompt(prompt_id)), wait)

    async def _final(self, prompt: PromptDto, wait: PreferredWait) -> PromptDto:
        return await wait.until(
            lambda shown: shown.is_final, lambda: self.mediator.execute(GetPrompt(prompt.id)), prompt
        )


async def _events(progress: AsyncIterator[PromptProgress]) -> AsyncIterator[bytes]:
    """Each step under the name of the state that it leads to; `end`: nothing comes any more by itself."""
    last: str | None = None
    async for seen in progress:
        for step in seen.transitions:
            last = str(step.number)
            yield format_sse_event(event=step.status.value, data_str=step.model_dump_json(), id=last)
        if seen.is_final:
            yield format_sse_event(event="end", data_str="null", id=last)
        elif not seen.transitions:
            yield format_sse_event(comment="it goes on")
