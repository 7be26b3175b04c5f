"""A document store in memory, with the collections of the models."""

from collections.abc import AsyncIterator, Callable

import pytest

from neuroglia.documents import Documents, DocumentStore, Session
from neuroglia.testing import InMemoryDocumentStore
from tests.framework.documents.models import OTHERS, THINGS, Thing


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
