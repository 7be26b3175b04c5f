"""A world of counters: in memory, and in the long run on each engine."""

from collections.abc import AsyncIterator

import pytest

from neuroglia.event_sourcing.subscriptions import patience, reaction_runner, runner
from tests.framework.event_sourcing.world import World
from tests.support.engines import DURABLE, Backing, Engine, engine_called


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is tried again soon, and what is done is noted soon."""
    monkeypatch.setattr(patience, "_FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(runner, "_RECONNECT_S", 0.001)
    monkeypatch.setattr(reaction_runner, "_SAVE_S", 0.001)


@pytest.fixture(
    scope="module",
    params=["memory", *(pytest.param(*one.values, marks=[*one.marks, pytest.mark.torture]) for one in DURABLE)],
)
def engine(request: pytest.FixtureRequest) -> Engine:
    return engine_called(request.param, request)


@pytest.fixture
async def world(backing: Backing) -> AsyncIterator[World]:
    async with World.on(backing) as world:
        yield world
