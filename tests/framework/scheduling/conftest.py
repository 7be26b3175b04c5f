"""The service of letters, on each document store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from neuroglia.documents import workers
from tests.framework.scheduling.world import MEMORY, Office, office_on
from tests.support.mongo import MongoServer


@pytest.fixture(autouse=True)
def no_long_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What others have added, and what a moved clock makes due, is seen soon."""
    monkeypatch.setattr(workers, "_POLL_S", 0.02)


@pytest.fixture(
    params=[
        "memory",
        pytest.param("file", marks=pytest.mark.integration),
        pytest.param("mongodb", marks=pytest.mark.integration),
    ]
)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of an empty document store."""
    match request.param:
        case "memory":
            return MEMORY
        case "file":
            return f"sqlite:///{tmp_path}/documents.db"
        case _:
            server: MongoServer = request.getfixturevalue("mongo")
            return server.url(tmp_path)


@pytest.fixture
async def office(url: str) -> AsyncIterator[Office]:
    async with office_on(url) as office:
        yield office
