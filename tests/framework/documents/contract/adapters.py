"""The document stores that must keep the contract. A new adapter adds itself here, and nothing else changes."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from neuroglia.documents import DocumentStore
from neuroglia.documents.adapters.sqlite import SqliteDocumentStore
from neuroglia.testing import InMemoryDocumentStore


@dataclass(frozen=True, slots=True)
class Adapter:
    """How to come by a store.

    Attributes:
        make: a store object that is not opened yet, on the data that belongs to a place; a new place is empty.
        shared: a second object on the same place sees the same data, also after the first was closed.
    """

    make: Callable[[Path], DocumentStore]
    shared: bool = True


IN_FILE = Adapter(lambda place: SqliteDocumentStore(str(place / "documents.db")))
IN_MEMORY = Adapter(lambda _: InMemoryDocumentStore(), shared=False)

ADAPTERS = [
    pytest.param(IN_FILE, id="sqlite-file", marks=pytest.mark.integration),
    pytest.param(IN_MEMORY, id="memory"),
]

on_shared_data = pytest.mark.parametrize("adapter", [ADAPTERS[0]], indirect=True)
"""Marks what only makes sense where a second object sees the same data."""
