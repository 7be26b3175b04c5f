"""`/internal`: for the agents behind the gateway."""

from typing import Annotated

from pydantic import Field

from api_gateway.api.fields import Json, RequestModel
from api_gateway.application.commands.accept_response import AcceptResponse
from api_gateway.integration.models.prompts import PromptDto
from neuroglia.mvc import ControllerBase, post


class ResponseRequest(RequestModel):
    """The response to a prompt. With `attempt` it is refused if the prompt has gone on to another one."""

    response: Json
    attempt: Annotated[int, Field(ge=1, strict=True)] | None = None


class InternalController(ControllerBase):
    @post("/prompts/{prompt_id}/response", etag="version", scopes=["prompts:respond"])
    async def respond(self, prompt_id: str, request: ResponseRequest) -> PromptDto:
        """Brings the response to a prompt. The same one may come again."""
        return await self.mediator.execute(AcceptResponse(prompt_id, request.response, request.attempt))
