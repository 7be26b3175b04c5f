"""`/commands`."""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Response
from fastapi.sse import EventSourceResponse, format_sse_event
from pydantic import Field, StringConstraints

from desktop_controller.api.fields import Arguments, Id, Justification, RequestModel
from desktop_controller.application.commands.cancel_command import CancelCommand
from desktop_controller.application.commands.submit_command import SubmitCommand
from desktop_controller.application.queries.follow_output import FollowOutput
from desktop_controller.application.queries.get_command import GetCommand
from desktop_controller.application.queries.list_catalogue import ListCatalogue
from desktop_controller.application.queries.list_commands import ListCommands
from desktop_controller.application.queries.read_output import ReadOutput
from desktop_controller.integration.models.commands import CatalogueEntryDto, CommandDto, CommandStatus
from desktop_controller.integration.models.output import OutputPiece
from neuroglia.mvc import DEFAULT_LIMIT, ControllerBase, Cursor, Limit, Page, PreferredWait, get, post

_BYTES: Final = "application/octet-stream"
_TEXT: Final = {"schema": {"type": "string"}}
_OUTPUT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "What was captured.", "content": {_BYTES: _TEXT, "text/event-stream": _TEXT}}
}


class CommandRequest(RequestModel):
    """Which command, with which arguments, and why. `timeout_seconds` may only shorten what the catalogue says."""

    command: Id
    arguments: Arguments
    justification: Justification | None = None
    timeout_seconds: Annotated[float, Field(gt=0, strict=True, allow_inf_nan=False)] | None = None


LastEventId = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,15}$")]


class CommandsController(ControllerBase):
    @get("/catalogue", scopes=["desktop:read"])
    async def catalogue(self) -> Page[CatalogueEntryDto]:
        """Lists the commands that are allowed, each with a JSON Schema of its arguments."""
        return Page(items=[*await self.mediator.execute(ListCatalogue())])

    @post(
        status_code=202,
        location="/{id}",
        scopes=["desktop:execute"],
        responses={200: {"model": CommandDto, "description": "It was final within the time that `Prefer` gave it."}},
    )
    async def submit(self, request: CommandRequest, wait: Annotated[PreferredWait, Depends()]) -> CommandDto:
        """Requests that an allowed command is run on the host; with `Prefer: wait=N` the answer waits for its end."""
        command = await self.mediator.execute(
            SubmitCommand(request.command, request.arguments, request.justification, request.timeout_seconds)
        )
        return await wait.until(
            lambda shown: shown.status.is_final, lambda: self.mediator.execute(GetCommand(command.id)), command
        )

    @get(scopes=["desktop:read"])
    async def list(
        self,
        status: CommandStatus | None = None,
        command: str | None = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Page[CommandDto]:
        """Lists commands, newest first: all, those in a state, those of a name."""
        return await self.mediator.execute(ListCommands(status, command, limit, cursor))

    @get("/{command_id}", scopes=["desktop:read"])
    async def show(self, command_id: str) -> CommandDto:
        """Shows how far a command is, and the end of its output."""
        return await self.mediator.execute(GetCommand(command_id))

    @get("/{command_id}/output", scopes=["desktop:read"], response_class=Response, responses=_OUTPUT)
    async def output(
        self,
        command_id: str,
        accept: Annotated[str, Header(description="`text/event-stream`: live, until the command has ended.")] = "*/*",
        last_event_id: Annotated[LastEventId | None, Header(description="Go on from behind this byte.")] = None,
    ) -> Response:
        """Sends all of the captured output, as it is or as Server-Sent Events with the byte offset as their ids."""
        if not _wants_events(accept):
            content = await self.mediator.execute(ReadOutput(command_id))
            return Response(content, headers={"X-Content-Type-Options": "nosniff"}, media_type=_BYTES)
        pieces = await self.mediator.execute(FollowOutput(command_id, int(last_event_id or 0)))
        return EventSourceResponse(_events(pieces), headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})

    @post("/{command_id}/cancel", status_code=202, scopes=["desktop:execute"])
    async def cancel(self, command_id: str) -> CommandDto:
        """Ends a command, with every process that it has started."""
        return await self.mediator.execute(CancelCommand(command_id))


def _wants_events(accept: str) -> bool:
    return "text/event-stream" in (kind.partition(";")[0].strip().lower() for kind in accept.split(","))


async def _events(pieces: AsyncIterator[OutputPiece]) -> AsyncIterator[bytes]:
    """Each piece as a JSON text, for a line of the stream must not hold another one; `end`: nothing comes any more."""
    async for piece in pieces:
        id = str(piece.offset)
        if piece.text:
            yield format_sse_event(data_str=json.dumps(piece.text), id=id)
        if piece.is_last:
            yield format_sse_event(event="end", data_str="null", id=id)
        elif not piece.text:
            yield format_sse_event(comment="it goes on")
