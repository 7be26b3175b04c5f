"""Each adapter in turn, empty streams to play with, and store objects that are closed at the end."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from uuid import uuid4

import pytest

from neuroglia.event_sourcing import EventStore
from tests.framework.event_sourcing.contract.adapters import ADAPTERS, Adapter

OpenStore = Callable[[], Awaitable[EventStore]]


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> Adapter:
    return request.param


@pytest.fixture
def place(adapter: Adapter, request: pytest.FixtureRequest) -> str:
    return adapter.place(request)


@pytest.fixture
async def open_store(adapter: Adapter, place: str) -> AsyncIterator[OpenStore]:
    """Opens store objects on this test's data."""
    async with AsyncExitStack() as exits:

        async def open_one() -> EventStore:
            store = adapter.make(place)
            await store.open()
            exits.push_async_callback(store.aclose)
            return store

        yield open_one


@pytest.fixture
async def store(open_store: OpenStore) -> EventStore:
    return await open_store()


@pytest.fixture
async def other_store(store: EventStore, open_store: OpenStore) -> EventStore:
    """A second object on the same data, as another process would have. For tests that are `on_shared_data`."""
    return await open_store()


@pytest.fixture
def category() -> str:
    """A category of streams that no other test uses."""
    return f"c{uuid4().hex}"


@pytest.fixture
async def start(store: EventStore) -> int:
    """Where the log ends before the test."""
    return await store.head()
