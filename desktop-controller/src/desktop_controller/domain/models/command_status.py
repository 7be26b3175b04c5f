"""Where a command is in its life."""

from enum import StrEnum


class CommandStatus(StrEnum):
    """requested → running → succeeded, failed, timed_out or cancelled; requested → rejected."""

    REQUESTED = "requested"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    REJECTED = "rejected"

    @property
    def is_final(self) -> bool:
        """Whether nothing follows any more."""
        return self not in {CommandStatus.REQUESTED, CommandStatus.RUNNING}
