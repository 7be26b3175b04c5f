"""The command `neuroglia`: a thin client of the admin API of any service."""

import httpx

from neuroglia.operations.cli.commands import app
from neuroglia.operations.cli.printing import fail


def main() -> None:
    """Runs the command. It ends with 0, 1 (the doctor found something), 2 (called wrongly, or the service refuses) or 3
    (nobody answers)."""
    try:
        app()
    except httpx.TransportError as error:
        fail(f"Nobody answers at {error.request.url}: {error}. Is the service running?", 3)
    except httpx.InvalidURL as error:
        fail(f"Nobody answers at --url: {error}.", 3)
