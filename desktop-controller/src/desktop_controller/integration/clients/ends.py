"""What goes to a supervisor, and what comes back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from desktop_controller.integration.ports import CannotExecute

SUPERVISOR: Final = Path(__file__).with_name("supervisor.py")
GRACE_S: Final = 2.0
"""So many seconds has a program to end by itself after SIGTERM."""


def exit_code(report: str) -> int:
    """The exit code of a report (`exit 3`), or minus the signal.

    Raises:
        CannotExecute: the program was not started.
    """
    kind, _, value = report.strip().partition(" ")
    match kind:
        case "exit":
            return int(value)
        case "signal":
            return -int(value)
        case _:
            raise CannotExecute(f"The program cannot be started: {value}.")


def checked(argv: Sequence[str]) -> Sequence[str]:
    """The same, which a program can be given.

    Raises:
        CannotExecute: there is no program, or an element is no text or contains NUL.
    """
    if not argv or not argv[0]:
        raise CannotExecute("There is no program to start.")
    for element in argv:
        if "\0" in element or any("\ud800" <= character <= "\udfff" for character in element):
            raise CannotExecute("An argument contains what no program can be given.")
    return argv
