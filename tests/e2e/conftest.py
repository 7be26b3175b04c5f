"""One system for all tests: starting it takes longer than most of them."""

import os
from collections.abc import Iterator, Sequence

import pytest

from tests.e2e.system import System, system
from tests.support.containers import docker_engine, images, missing, require_image

REAL = {"eventstore/eventstore:24.10", "mongo:8", "quay.io/keycloak/keycloak:26.4", "python:3.13-slim"}


@pytest.fixture(scope="session")
def overrides() -> Sequence[str]:
    """The real servers, where they can be pulled; where PYTHON_IMAGE is named to build on, our stand-ins."""
    if images.PYTHON_IMAGE and os.environ.get("E2E_SERVERS") != "real":
        require_image(images.PYTHON_IMAGE)
        return ["stand-ins"]
    for image in sorted(REAL):
        require_image(image)
    return []


@pytest.fixture(scope="session")
def running(overrides: Sequence[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The system, healthy."""
    with system(tmp_path_factory.mktemp("system"), *overrides) as found:
        yield found
