"""A builder with both stores in files of the test's own folder."""

from pathlib import Path

import pytest

from neuroglia.hosting import ServiceSettings, WebApplicationBuilder

LAMPS = "tests.framework.hosting.lamps"


@pytest.fixture
def builder(tmp_path: Path) -> WebApplicationBuilder:
    builder = WebApplicationBuilder(ServiceSettings(data_dir=tmp_path))
    builder.add_mediation(LAMPS)
    builder.add_event_sourcing(LAMPS, subscriptions=LAMPS)
    builder.add_documents(LAMPS)
    return builder
