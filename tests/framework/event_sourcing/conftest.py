"""A world of counters on stores in memory."""

from collections.abc import AsyncIterator

import pytest

from neuroglia.event_sourcing import subscriptions
from tests.framework.event_sourcing.world import World


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is tried again soon."""
    for name in ("_FIRST_PAUSE_S", "_RECONNECT_S"):
        monkeypatch.setattr(subscriptions, name, 0.001)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World.open() as world:
        yield world
