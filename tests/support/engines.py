"""What a service keeps its state in, in each way that there is: a test that takes the fixture `engine` runs on all."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.eventstoredb.process import StandIn
from tests.support.mongo import MongoServer


@dataclass(frozen=True, slots=True)
class Backing:
    """The backing services of one service, by their URLs. The fields are named like its settings."""

    event_store_url: str
    document_store_url: str

    @property
    def environment(self) -> dict[str, str]:
        """The same for a process."""
        return {name.upper(): url for name, url in asdict(self).items()}


IN_MEMORY: Final = Backing("sqlite:///:memory:", "sqlite:///:memory:")
"""Stands for the stores for tests, which are faster than those that the URLs name."""
Engine = Callable[[Path], AbstractContextManager[Backing]]
"""Gives empty backing services to a folder, for as long as the context lasts."""


@contextmanager
def in_memory(folder: Path) -> Generator[Backing]:
    """Nothing but the process, for the unit run."""
    yield IN_MEMORY


@contextmanager
def embedded(folder: Path) -> Generator[Backing]:
    """Files in the folder: what a service does that is told nothing else."""
    yield Backing(f"sqlite:///{folder}/events.db", f"sqlite:///{folder}/documents.db")


def distributed(mongo: MongoServer) -> Engine:
    """EventStoreDB's stand-in, a process for each (a tenth of a second), and a database of its own in MongoDB."""

    @contextmanager
    def engine(folder: Path) -> Generator[Backing]:
        server = StandIn(folder / "log").start()
        try:
            yield Backing(server.url, mongo.url(folder))
        finally:
            server.kill()

    return engine


DURABLE: Final = [
    pytest.param("embedded", marks=pytest.mark.integration),
    pytest.param("eventstoredb-mongodb", marks=pytest.mark.integration),
]
"""The parameters of those that outlive a process, and that several can share."""


def engine_called(name: str, request: pytest.FixtureRequest) -> Engine:
    """The engine of a parameter."""
    match name:
        case "memory":
            return in_memory
        case "embedded":
            return embedded
        case _:
            return distributed(request.getfixturevalue("mongo"))
