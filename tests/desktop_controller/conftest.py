"""The Desktop Controller in the test's process, on a host that the test holds in its hands."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from desktop_controller.integration.ports import Catalogue, Executor, HostStore, ManagedFiles, Outputs, Redactor
from desktop_controller.main import create_builder
from desktop_controller.settings import DesktopControllerSettings
from neuroglia.hosting import WebApplicationBuilder
from neuroglia.testing import RunningService, in_memory, running
from tests.desktop_controller.doubles import FakeHost


def builder_on(host: FakeHost, **settings: Any) -> WebApplicationBuilder:
    """All parts of the controller, in memory and on this host."""
    told = {"desktop_id": "desk-7", "log_level": "ERROR", **settings}
    builder = create_builder(DesktopControllerSettings(**told))
    builder.services.add_instance(Catalogue, host.catalogue)
    builder.services.add_instance(Executor, host.executor)
    builder.services.add_instance(Outputs, host.outputs)
    builder.services.add_instance(Redactor, host.redactor)
    builder.services.add_instance(ManagedFiles, host.files)
    builder.services.add_instance(HostStore, host.store)
    return in_memory(builder)


@pytest.fixture
def host() -> FakeHost:
    return FakeHost()


@pytest.fixture
async def controller(host: FakeHost) -> AsyncIterator[RunningService]:
    async with running(builder_on(host).build()) as service:
        yield service
