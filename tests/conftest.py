"""What holds for all tests.

Property tests are quick by default; `HYPOTHESIS_PROFILE=thorough` is for the long runs.
"""

import gc
import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import settings

from deployment.issuer.process import RunningIssuer
from tests.support.engines import DURABLE, Backing, Engine, engine_called
from tests.support.issuer import local_issuer
from tests.support.mongo import MongoServer, mongo_server

settings.register_profile("quick", max_examples=20, deadline=None, database=None)
settings.register_profile("thorough", max_examples=500, deadline=None, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


WHOLE_SERVICES = {
    "bank", "controller", "gateway", "gateway_of_agents", "issuer", "keyring", "office", "open_orders", "orders",
    "parcels", "service", "shared_bank",
}  # fmt: skip
"""The fixtures that start one in the test's process. Who takes them is no unit test."""


def pytest_itemcollected(item: pytest.Item) -> None:
    if isinstance(item, pytest.Function) and WHOLE_SERVICES & set(item.fixturenames):
        item.add_marker("service")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """A module that says of all its tests that they are of a kind which is not wanted is not even read."""
    if collection_path.suffix != ".py":
        return None
    kinds = re.findall(r"^pytestmark = .*?pytest\.mark\.(\w+)", collection_path.read_text(), re.MULTILINE)
    return any(f"not {kind}" in config.option.markexpr for kind in kinds) or None


gc.disable()  # while modules are read and tests are collected, which live to the end


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Whom all processes believe that are started from then on. See `authorized`."""
    with local_issuer(tmp_path_factory.mktemp("issuer")):
        yield


@pytest.fixture(scope="session")
def mongo(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[MongoServer]:
    """One server for all tests of this process."""
    with mongo_server(tmp_path_factory.mktemp("mongo")) as server:
        # The driver forgets a socket whose connecting is cancelled (see pyproject.toml); if the cancelling comes when
        # it is just done, the socket is a connected one. Only those to this server are overlooked.
        unclosed = rf"unclosed <socket\.socket .*, raddr=\('[\d.]+', {urlsplit(server.url()).port}\)>$"
        warnings.filterwarnings("ignore", unclosed, ResourceWarning)  # in the test that runs
        pytestconfig.addinivalue_line("filterwarnings", f"ignore:{unclosed}:ResourceWarning")  # and in those to come
        yield server


@pytest.fixture(scope="session")
def mongo_in_container() -> Iterator[MongoServer]:
    """The real one."""
    # here, as below: every process of the tests reads this file, and few of them start containers
    from tests.support.containers import mongo_container

    with mongo_container() as url:
        yield MongoServer(url)


@pytest.fixture(scope="session")
def eventstoredb_in_container() -> Iterator[str]:
    """The real one's URL."""
    from tests.support.containers import eventstoredb_container

    with eventstoredb_container() as url:
        yield url


@pytest.fixture(scope="session")
def keycloak_in_container() -> Iterator[RunningIssuer]:
    """The real one, with our realm."""
    from tests.support.containers import keycloak_container

    with keycloak_container() as found:
        yield found


@pytest.fixture(scope="module", params=["memory", *DURABLE])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each engine in turn; the unit run has the one that needs nothing."""
    return engine_called(request.param, request)


@pytest.fixture
def backing(engine: Engine, tmp_path: Path) -> Iterator[Backing]:
    """Empty backing services for a test."""
    with engine(tmp_path) as backing:
        yield backing


@pytest.fixture(scope="module")
def shared_backing(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backing]:
    """Backing services for a module, which are empty at first."""
    with engine(tmp_path_factory.mktemp("backing")) as backing:
        yield backing
