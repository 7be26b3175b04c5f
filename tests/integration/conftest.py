"""Processes keep nothing in memory that another could see: they run on the engines that last."""

from collections.abc import Iterator
from contextlib import nullcontext

import pytest

from tests.support.engines import DURABLE, Backing, Engine, engine_called
from tests.support.mongo import MongoServer


@pytest.fixture(scope="session", autouse=True)
def believed(issuer: None) -> None:
    """All processes believe the issuer."""


@pytest.fixture(scope="module", params=DURABLE)
def engine(request: pytest.FixtureRequest) -> Engine:
    return engine_called(request.param, request)


@pytest.fixture
def after_kills(backing: Backing, request: pytest.FixtureRequest) -> Iterator[None]:
    """For tests that kill: the transactions of the dead do not last."""
    server: MongoServer | None = None
    if backing.document_store_url.startswith("mongodb:"):
        server = request.getfixturevalue("mongo")
    with server.short_transactions() if server else nullcontext():
        yield
