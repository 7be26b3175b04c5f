"""A document store in memory, with the collections of the models; each adapter in turn."""

from collections.abc import AsyncIterator, Callable

import pytest

from neuroglia.documents import Documents, DocumentStore, Session
from neuroglia.testing import InMemoryDocumentStore
from tests.framework.documents.contract.adapters import ADAPTERS, Adapter
from tests.framework.documents.models import OTHERS, THINGS, Thing


@pytest.fixture(params=ADAPTERS)
def adapter_and_place(request: pytest.FixtureRequest) -> tuple[Adapter, str]:
    adapter: Adapter = request.param
    return adapter, adapter.place(request)


@pytest.fixture
async def any_store(adapter_and_place: tuple[Adapter, str]) -> AsyncIterator[DocumentStore]:
    """An open store of each adapter, with no collections yet."""
    adapter, place = adapter_and_place
    store = adapter.make(place)
    await store.open()
    yield store
    await store.aclose()


@pytest.fixture
async def memory() -> AsyncIterator[DocumentStore]:
    store = InMemoryDocumentStore()
    await store.open()
    await store.prepare([THINGS, OTHERS])
    yield store
    await store.aclose()


@pytest.fixture
def new_session(memory: DocumentStore) -> Callable[[], Session]:
    """The session of another message."""
    return lambda: Session(memory)


@pytest.fixture
def session(memory: DocumentStore) -> Session:
    return Session(memory)


@pytest.fixture
def documents(session: Session) -> Documents[Thing]:
    return Documents(THINGS, session)
