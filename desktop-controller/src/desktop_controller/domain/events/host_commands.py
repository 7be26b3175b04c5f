"""What can happen to a command. Together, the events of a command are its audit trail."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

from desktop_controller.domain.models.captured_output import CapturedOutput
from desktop_controller.domain.models.command_status import CommandStatus
from neuroglia.domain import DomainEvent, event

Argument: TypeAlias = str | int | float | bool


@event("desktop.command-requested.v1")
class CommandRequested(DomainEvent):
    """Somebody wants a command to be run. `version` and `sha256` tell by which definition it was allowed."""

    command: str
    arguments: Mapping[str, Argument]
    timeout_seconds: float
    justification: str | None
    requested_by: str
    version: str
    sha256: str


@event("desktop.command-started.v1")
class CommandStarted(DomainEvent):
    """It is about to run: this is stored before its process is there."""

    started_at: datetime


@event("desktop.command-cancellation-requested.v1")
class CancellationRequested(DomainEvent):
    """Somebody wants it to be ended while it runs."""

    requested_by: str


@event("desktop.command-succeeded.v1")
class CommandSucceeded(DomainEvent):
    """It ran to its end, and its exit code is 0."""

    finished_at: datetime
    output: CapturedOutput


@event("desktop.command-failed.v1")
class CommandFailed(DomainEvent):
    """It ended in any other way. `status` says in which one, `reason` why, for people."""

    status: CommandStatus
    reason: str
    finished_at: datetime
    exit_code: int | None
    output: CapturedOutput | None
