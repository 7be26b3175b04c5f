"""OpenBank in the test's process, on stores in memory."""

from collections.abc import AsyncIterator

import pytest

from neuroglia.testing import RunningService, running
from openbank.main import create_app
from openbank.settings import OpenBankSettings


@pytest.fixture
async def bank() -> AsyncIterator[RunningService]:
    settings = OpenBankSettings(
        event_store_url="sqlite:///:memory:", document_store_url="sqlite:///:memory:", log_level="ERROR"
    )
    async with running(create_app(settings)) as service:
        yield service
