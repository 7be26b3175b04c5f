"""The document stores that must keep the contract. A new adapter adds itself here, and nothing else changes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from neuroglia.documents import DocumentStore
from neuroglia.documents.adapters.mongo import MongoDocumentStore
from neuroglia.documents.adapters.sqlite import SqliteDocumentStore
from neuroglia.testing import InMemoryDocumentStore
from tests.support.mongo import MongoServer


@dataclass(frozen=True, slots=True)
class Adapter:
    """How to come by a store.

    Attributes:
        make: a store object that is not opened yet, on the data that belongs to a place.
        place: an empty place for a test. A second object on it sees the same data, also after the first was closed.
    """

    make: Callable[[str], DocumentStore]
    place: Callable[[pytest.FixtureRequest], str]


def _nowhere(_: pytest.FixtureRequest) -> str:
    return ""


def _file(request: pytest.FixtureRequest) -> str:
    folder: Path = request.getfixturevalue("tmp_path")
    return str(folder / "documents.db")


def _database(server: str) -> Callable[[pytest.FixtureRequest], str]:
    def place(request: pytest.FixtureRequest) -> str:
        found: MongoServer = request.getfixturevalue(server)
        return found.url(request.getfixturevalue("tmp_path"))

    return place


IN_FILE = pytest.param(Adapter(SqliteDocumentStore, _file), id="sqlite-file", marks=pytest.mark.integration)
IN_MEMORY = pytest.param(Adapter(lambda _: InMemoryDocumentStore(), _nowhere), id="memory")
IN_MONGO = pytest.param(Adapter(MongoDocumentStore, _database("mongo")), id="mongodb", marks=pytest.mark.integration)
IN_CONTAINER = pytest.param(
    Adapter(MongoDocumentStore, _database("mongo_in_container")),
    id="mongodb-container",
    marks=[pytest.mark.integration, pytest.mark.containers],
)
ADAPTERS = [IN_FILE, IN_MEMORY, IN_MONGO, IN_CONTAINER]

on_shared_data = pytest.mark.parametrize("adapter", [IN_FILE, IN_MONGO, IN_CONTAINER], indirect=True)
"""Marks what only makes sense where a second object sees the same data."""

that_end_texts_at_nul = pytest.mark.parametrize("adapter", [IN_FILE, IN_MEMORY], indirect=True)
"""Marks what the embedded store does, and the one in memory with it, so that tests hear of it."""
