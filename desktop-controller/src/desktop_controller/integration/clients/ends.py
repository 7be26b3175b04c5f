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


def encoded(argv: Sequence[str]) -> Sequence[bytes]:
    """As an operating system takes it.

    Raises:
        CannotExecute: there is no program, or a text that no program can be given.
    """
    try:
        elements = [element.encode("utf-8", "surrogateescape") for element in argv]
    except UnicodeEncodeError:
        raise CannotExecute("An argument is no text.") from None
    if not elements or not elements[0]:
        raise CannotExecute("There is no program to start.")
    if any(b"\0" in element for element in elements):
        raise CannotExecute("An argument contains NUL.")
    return elements
