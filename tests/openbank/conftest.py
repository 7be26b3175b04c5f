"""OpenBank in the test's process, on stores in memory."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from neuroglia.testing import RunningService, in_memory, running
from openbank.main import create_builder
from openbank.settings import OpenBankSettings
from tests.openbank.builders import given_account

SETTINGS = OpenBankSettings(log_level="ERROR")


@pytest.fixture
async def bank() -> AsyncIterator[RunningService]:
    async with running(in_memory(create_builder(SETTINGS)).build()) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_bank() -> AsyncIterator[RunningService]:
    """One bank and one event loop for a module. Ada has the account `a`, which nobody changes; see `new_account`."""
    async with running(in_memory(create_builder(SETTINGS)).build()) as service:
        await given_account(service, overdraft="100")
        yield service
