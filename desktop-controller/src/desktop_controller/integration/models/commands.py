"""What is shown of commands, and which are in hand."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, JsonValue

from desktop_controller.domain.events.host_commands import Argument as Argument
from desktop_controller.domain.models.command_status import CommandStatus as CommandStatus
from neuroglia.documents import document


class CatalogueEntryDto(BaseModel):
    """A command that is allowed. `parameters` is a JSON Schema of its arguments."""

    name: str
    description: str
    parameters: Mapping[str, JsonValue]
    timeout_seconds: float
    version: str
    sha256: str


@document(
    "host_commands",
    indexes=[
        "requested_at",
        ("status", "requested_at"),
        ("command", "requested_at"),
        ("command", "status", "requested_at"),
    ],
)
class CommandDto(BaseModel):
    """A command as it stands. `stdout` and `stderr` are the last 16 KiB of each; `reason` is why it did not succeed."""

    id: str
    command: str
    arguments: Mapping[str, Argument]
    status: CommandStatus
    requested_by: str
    requested_at: datetime
    timeout_seconds: float
    justification: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    exit_code: int | None = None
    reason: str | None = None
    stdout: str = ""
    stderr: str = ""
    output_bytes: int = 0
    output_sha256: str | None = None
    truncated: bool = False


@document("commands_in_hand")
class CommandInHand(BaseModel):
    """A command that was requested and of which no end is known, with the ids of the request that it belongs to.
    Notes of earlier versions do not tell its name."""

    id: str
    command: str | None = None
    correlation_id: str
    causation_id: str
