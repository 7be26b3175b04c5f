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
        place: where a test's data is: a file, or the URL of a server.
    """

    make: Callable[[str], EventStore]
    place: Callable[[pytest.FixtureRequest], str]


@functools.cache
def _eventstoredb() -> StandIn:
    """One process for all tests of a worker."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder)
    return StandIn(Path(folder) / "log").start()


def _file(request: pytest.FixtureRequest) -> str:
    folder: Path = request.getfixturevalue("tmp_path")
    return str(folder / "events.db")


IN_FILE = Adapter(SqliteEventStore, _file)
ON_STAND_IN = Adapter(EventStoreDB, lambda _: _eventstoredb().url)
IN_CONTAINER = Adapter(EventStoreDB, lambda request: request.getfixturevalue("eventstoredb_in_container"))
IN_MEMORY = Adapter(lambda _: InMemoryEventStore(), lambda _: "")

SERVERS = [
    pytest.param(ON_STAND_IN, id="eventstoredb", marks=pytest.mark.integration),
    pytest.param(IN_CONTAINER, id="eventstoredb-container", marks=[pytest.mark.integration, pytest.mark.containers]),
]
SHARED = [pytest.param(IN_FILE, id="sqlite-file", marks=pytest.mark.integration), *SERVERS]
ADAPTERS = [*SHARED, pytest.param(IN_MEMORY, id="memory")]

on_shared_data = pytest.mark.parametrize("adapter", SHARED, indirect=True)
"""Marks what only makes sense where a second object sees the same data."""
