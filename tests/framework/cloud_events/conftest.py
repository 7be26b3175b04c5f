"""The service of orders, on each engine."""

from collections.abc import AsyncIterator

import pytest

from neuroglia.documents import workers
from neuroglia.event_sourcing.subscriptions import patience
from tests.framework.cloud_events.world import Orders, orders_on
from tests.support.engines import Backing
from tests.support.sink import Sink, sink


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is tried again soon, and what others have added is seen soon."""
    monkeypatch.setattr(patience, "_FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(workers, "_FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(workers, "_POLL_S", 0.02)


@pytest.fixture
async def outside() -> AsyncIterator[Sink]:
    """Somebody who listens."""
    async with sink() as outside:
        yield outside


@pytest.fixture
async def orders(backing: Backing) -> AsyncIterator[Orders]:
    async with orders_on(backing) as orders:
        yield orders
