"""OpenBank on its worst day: what it follows is delivered three times over, and handled three times: `python -m`."""

from fastapi import FastAPI

from neuroglia.event_sourcing import EventStore
from neuroglia.event_sourcing.store import StoredEvent
from neuroglia.event_sourcing.subscriptions import ReactionRunner
from neuroglia.hosting import run
from openbank.main import create_app
from openbank.settings import OpenBankSettings
from tests.support.repeating import repeat

TIMES = 3
settle_once = ReactionRunner._settle


async def settle_again(runner: ReactionRunner, stored: StoredEvent, error: str | None) -> None:
    """Handles an event several times, as if each answer but the last had got lost."""
    for _ in range(TIMES):
        await settle_once(runner, stored, error)


def create_repeating_app(settings: OpenBankSettings) -> FastAPI:
    """The bank, and in between it and its log somebody who repeats."""
    app = create_app(settings)
    repeat(app.state.services.get_now(EventStore), TIMES)
    ReactionRunner._settle = settle_again  # type: ignore[method-assign]
    return app


if __name__ == "__main__":
    run(create_repeating_app, OpenBankSettings)
