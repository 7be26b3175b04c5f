"""The service of parcels, with all that it tells kept in memory."""

from collections.abc import AsyncIterator

import pytest

from tests.framework.cloud_events.conftest import no_long_pauses as no_long_pauses
from tests.framework.hosting.conftest import restored as restored
from tests.framework.observability.world import Watched, watched


@pytest.fixture
async def parcels() -> AsyncIterator[Watched]:
    async with watched() as parcels:
        yield parcels
