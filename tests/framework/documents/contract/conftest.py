"""Each adapter in turn, with collections to play with."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from neuroglia.documents import DocumentStore
from tests.framework.documents.contract.adapters import ADAPTERS, Adapter
from tests.framework.documents.models import OTHERS, THINGS

OpenStore = Callable[[], Awaitable[DocumentStore]]


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

        async def open_one() -> DocumentStore:
            store = adapter.make(place)
            await store.open()
            exits.push_async_callback(store.aclose)
            await store.prepare([THINGS, OTHERS])
            return store

        yield open_one


@pytest.fixture
async def store(open_store: OpenStore) -> DocumentStore:
    return await open_store()
