"""How the controller says no. Codes are part of the public contract."""

from typing import ClassVar

from neuroglia.domain import StateConflict


class CommandAlready(StateConflict):
    """The command has gone on."""

    code: ClassVar[str] = "command-not-in-this-state"

    def __init__(self, status: str) -> None:
        super().__init__(f"The command is {status} already.")


class LockUnavailable(StateConflict):
    """Nobody has said how this host is locked or unlocked."""

    code: ClassVar[str] = "lock-not-configured"

    def __init__(self, command: str) -> None:
        super().__init__(f"The catalogue has no command '{command}', which would do this.")


class LockFailed(StateConflict):
    """The command that locks or unlocks the host did not succeed, so its state is as before."""

    code: ClassVar[str] = "lock-failed"

    def __init__(self, command_id: str, status: str) -> None:
        super().__init__(f"The command that does this ended as {status}: see {command_id}.")
