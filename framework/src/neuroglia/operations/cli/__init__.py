"""The command `neuroglia`: a thin client of the admin API of any service."""

import sys

from neuroglia.operations.cli.client import Failure
from neuroglia.operations.cli.commands import app, complain


def main() -> None:
    """Runs the command. It ends with 0, 1 (the doctor found something), 2 (called wrongly, or the service refuses) or 3
    (nobody answers)."""
    try:
        app()
    except Failure as failure:
        complain(str(failure))
        sys.exit(failure.code)
