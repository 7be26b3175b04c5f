"""The event stores that must keep the contract. A new adapter adds itself here, and nothing else changes."""

import atexit
import functools
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from neuroglia.event_sourcing import EventStore
from neuroglia.event_sourcing.adapters.eventstoredb import EventStoreDB
from neuroglia.event_sourcing.adapters.sqlite import SqliteEventStore
from neuroglia.testing import InMemoryEventStore
from tests.support.eventstoredb.process import StandIn


@dataclass(frozen=True, slots=True)
class Adapter:
    """How to come by a store.

    Attributes:
        make: a store object that is not opened yet, on the data that belongs to a place. The data may hold what other
            tests wrote: the suite uses stream names of its own and starts from the head that it finds.
        shared: a second object on the same place sees the same data, also after the first was closed.
    """

    make: Callable[[Path], EventStore]
    shared: bool = True


@functools.cache
def _eventstoredb() -> StandIn:
    """One process for all tests of a worker."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    return StandIn(Path(folder) / "log").start()


IN_FILE = Adapter(lambda place: SqliteEventStore(str(place / "events.db")))
ON_EVENTSTOREDB = Adapter(lambda _: EventStoreDB(_eventstoredb().url))
IN_MEMORY = Adapter(lambda _: InMemoryEventStore(), shared=False)

ADAPTERS = [
    pytest.param(IN_FILE, id="sqlite-file", marks=pytest.mark.integration),
    pytest.param(ON_EVENTSTOREDB, id="eventstoredb", marks=pytest.mark.integration),
    pytest.param(IN_MEMORY, id="memory"),
]

on_shared_data = pytest.mark.parametrize("adapter", ADAPTERS[:2], indirect=True)
"""Marks what only makes sense where a second object sees the same data."""
