"""`/commands`."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends
from pydantic import Field, JsonValue

from desktop_controller.api.fields import Id, Justification, RequestModel
from desktop_controller.application.commands.cancel_command import CancelCommand
from desktop_controller.application.commands.submit_command import SubmitCommand
from desktop_controller.application.queries.get_command import GetCommand
from desktop_controller.application.queries.list_catalogue import ListCatalogue
from desktop_controller.application.queries.list_commands import ListCommands
from desktop_controller.integration.models.commands import CatalogueEntryDto, CommandDto, CommandStatus
from neuroglia.mvc import DEFAULT_LIMIT, ControllerBase, Cursor, Limit, Page, Patience, get, post


class CommandRequest(RequestModel):
    """Which command, with which arguments, and why. `timeout_seconds` may only shorten what the catalogue says."""

    command: Id
    arguments: Mapping[str, JsonValue] = Field(default_factory=dict[str, JsonValue])
    justification: Justification | None = None
    timeout_seconds: Annotated[float, Field(gt=0, strict=True, allow_inf_nan=False)] | None = None


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
    async def submit(self, request: CommandRequest, patience: Annotated[Patience, Depends()]) -> CommandDto:
        """Requests that an allowed command is run on the host; with `Prefer: wait=N` the answer waits for its end."""
        command = await self.mediator.execute(
            SubmitCommand(request.command, request.arguments, request.justification, request.timeout_seconds)
        )
        return await patience.until(
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

    @post("/{command_id}/cancel", status_code=202, scopes=["desktop:execute"])
    async def cancel(self, command_id: str) -> CommandDto:
        """Ends a command, with every process that it has started."""
        return await self.mediator.execute(CancelCommand(command_id))
