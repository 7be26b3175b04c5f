"""The command: what somebody wants to be run on the host, and how far that is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from desktop_controller.domain import errors
from desktop_controller.domain.events.host_commands import (
    Argument,
    CancellationRequested,
    CommandFailed,
    CommandRequested,
    CommandStarted,
    CommandSucceeded,
)
from desktop_controller.domain.models.captured_output import CapturedOutput
from desktop_controller.domain.models.command_status import CommandStatus
from neuroglia.domain import AggregateRoot, when

_CANCELLED_EARLY: Final = "It was cancelled before it ran."
_MAY_END: Final[Mapping[CommandStatus, frozenset[CommandStatus]]] = {
    CommandStatus.REQUESTED: frozenset({CommandStatus.REJECTED}),
    CommandStatus.RUNNING: frozenset({CommandStatus.FAILED, CommandStatus.TIMED_OUT, CommandStatus.CANCELLED}),
}
"""In which ways a command may end without success, from where it is."""


class HostCommand(AggregateRoot, stream="host_command"):
    """The state of one command. It is started once, and what is final stays."""

    command: str
    arguments: Mapping[str, Argument]
    timeout_seconds: float
    justification: str | None
    requested_by: str
    sha256: str
    status: CommandStatus
    cancellation_requested: bool
    started_at: datetime | None
    finished_at: datetime | None
    exit_code: int | None
    reason: str | None
    output: CapturedOutput | None

    @classmethod
    def request(cls, id: str, request: CommandRequested) -> "HostCommand":
        """Asks for a command to be run. That the catalogue allows it was looked up before."""
        command = cls(id)
        command.apply(request)
        return command

    def start(self, now: datetime) -> None:
        """It is going to run; nobody else may run it from here on."""
        if self.status is not CommandStatus.REQUESTED:
            raise errors.CommandAlready(self.status)
        self.apply(CommandStarted(started_at=now))

    def cancel(self, by: str, now: datetime) -> None:
        """What has not begun never will; what runs is to be ended, and tells itself how that went."""
        if self.status is CommandStatus.REQUESTED:
            self.end(CommandStatus.REJECTED, _CANCELLED_EARLY, now)
        elif self.status is not CommandStatus.RUNNING:
            raise errors.CommandAlready(self.status)
        elif not self.cancellation_requested:
            self.apply(CancellationRequested(requested_by=by))

    def exit(self, code: int, output: CapturedOutput, now: datetime) -> None:
        """Its process has ended by itself. Exit code 0 is success, and nothing else is."""
        if code != 0:
            reason = f"Its exit code is {code}." if code > 0 else f"Signal {-code} has ended it."
            self.end(CommandStatus.FAILED, reason, now, exit_code=code, output=output)
        elif self.status is not CommandStatus.RUNNING:
            raise errors.CommandAlready(self.status)
        else:
            self.apply(CommandSucceeded(finished_at=now, output=output))

    def end(
        self,
        status: CommandStatus,
        reason: str,
        now: datetime,
        *,
        exit_code: int | None = None,
        output: CapturedOutput | None = None,
    ) -> None:
        """It is over, without success."""
        if status not in _MAY_END.get(self.status, ()):
            raise errors.CommandAlready(self.status)
        self.apply(CommandFailed(status=status, reason=reason, finished_at=now, exit_code=exit_code, output=output))

    @when
    def _requested(self, event: CommandRequested) -> None:
        self.command = event.command
        self.arguments = event.arguments
        self.timeout_seconds = event.timeout_seconds
        self.justification = event.justification
        self.requested_by = event.requested_by
        self.sha256 = event.sha256
        self.status = CommandStatus.REQUESTED
        self.cancellation_requested = False
        self.started_at = self.finished_at = None
        self.exit_code = self.reason = self.output = None

    @when
    def _started(self, event: CommandStarted) -> None:
        self.status, self.started_at = CommandStatus.RUNNING, event.started_at

    @when
    def _cancellation_requested(self, event: CancellationRequested) -> None:
        self.cancellation_requested = True

    @when
    def _succeeded(self, event: CommandSucceeded) -> None:
        self.status, self.exit_code = CommandStatus.SUCCEEDED, 0
        self.finished_at, self.output = event.finished_at, event.output

    @when
    def _failed(self, event: CommandFailed) -> None:
        self.status, self.reason, self.exit_code = event.status, event.reason, event.exit_code
        self.finished_at, self.output = event.finished_at, event.output
