"""Executors, each over something real."""

import pytest

from desktop_controller.integration.executors import connect_executor
from desktop_controller.integration.ports import Executor


@pytest.fixture(params=["local"])
def executor(request: pytest.FixtureRequest) -> Executor:
    """Each executor in turn."""
    return connect_executor("local://")


@pytest.fixture(params=["local"])
def executor_anywhere(request: pytest.FixtureRequest) -> Executor:
    """Each executor in turn; what it reaches does not depend on the test's event loop."""
    return connect_executor("local://")
