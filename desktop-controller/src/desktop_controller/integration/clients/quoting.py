"""The one place where arguments become a line for a shell."""

import shlex
from collections.abc import Sequence


def quoted(argv: Sequence[str]) -> str:
    """The line that a POSIX shell takes apart into exactly these elements, whatever is in them, and executes in its own
    place. SSH has nothing but lines: the login shell of the user on the host reads it."""
    return "exec " + " ".join(shlex.quote(element) for element in argv)
