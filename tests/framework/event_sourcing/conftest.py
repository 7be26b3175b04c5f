"""A world of counters, on each engine."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from neuroglia.event_sourcing.subscriptions import patience, reaction_runner, runner
from tests.framework.event_sourcing.world import World
from tests.support.engines import Backing
from tests.support.eventstoredb.process import StandIn


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is tried again soon, and what is done is noted soon."""
    monkeypatch.setattr(patience, "_FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(patience, "_LONGEST_PAUSE_S", 0.01)
    monkeypatch.setattr(runner, "_RECONNECT_S", 0.001)
    monkeypatch.setattr(reaction_runner, "_SAVE_S", 0.001)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[StandIn]:
    """EventStoreDB's stand-in for one test alone, which may kill it."""
    server = StandIn(tmp_path / "log").start()
    yield server
    server.kill()


@pytest.fixture
async def world(backing: Backing) -> AsyncIterator[World]:
    async with World.on(backing) as world:
        yield world
