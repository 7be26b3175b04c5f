"""One system for all tests: starting it takes longer than most of them."""

from collections.abc import Iterator, Sequence

import pytest

from tests.e2e.system import TELEMETRY, System, system
from tests.support.containers import (
    DEFAULT_EVENTSTOREDB,
    DEFAULT_KEYCLOAK,
    DEFAULT_MONGO,
    images,
    require_image,
)

REAL = [DEFAULT_EVENTSTOREDB, DEFAULT_KEYCLOAK, DEFAULT_MONGO, "python:3.13-slim"]


@pytest.fixture(scope="session")
def overrides() -> Sequence[str]:
    """None, where the real servers can be pulled; where PYTHON_IMAGE names an image to build on, our stand-ins."""
    if images.PYTHON_IMAGE:
        require_image(images.PYTHON_IMAGE)
        return ["stand-ins"]
    for image in REAL:
        require_image(image)
    return []


@pytest.fixture(scope="session")
def running(overrides: Sequence[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The system, healthy. Spans are told by our stand-in for a collector alone, so only with that it has one."""
    telemetry = TELEMETRY if "stand-ins" in overrides else {}
    with system(tmp_path_factory.mktemp("system"), *overrides, **telemetry) as found:
        yield found
