"""OpenBank in the test's process, on each engine."""

from collections.abc import AsyncIterator
from dataclasses import asdict

import pytest
import pytest_asyncio

from neuroglia.hosting import WebApplicationBuilder
from neuroglia.testing import RunningService, in_memory, running
from openbank.main import create_builder
from openbank.settings import OpenBankSettings
from tests.openbank.builders import given_account
from tests.support.engines import IN_MEMORY, Backing


def builder_on(backing: Backing) -> WebApplicationBuilder:
    """All parts of OpenBank, on these backing services; in memory, on the stores for tests, which are faster."""
    builder = create_builder(OpenBankSettings(log_level="ERROR", **asdict(backing)))
    return in_memory(builder) if backing == IN_MEMORY else builder


@pytest.fixture
async def bank(backing: Backing) -> AsyncIterator[RunningService]:
    async with running(builder_on(backing).build()) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_bank(shared_backing: Backing) -> AsyncIterator[RunningService]:
    """One bank and one event loop for a module. Ada has the account `a`, which nobody changes; see `new_account`."""
    async with running(builder_on(shared_backing).build()) as service:
        await given_account(service, overdraft="100")
        yield service
