"""A builder with both stores in memory, or in files of the test's own folder."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from neuroglia.hosting import ServiceSettings, WebApplicationBuilder
from neuroglia.testing import in_memory

LAMPS = "tests.framework.hosting.lamps"


@pytest.fixture
def builder_on_files(tmp_path: Path) -> WebApplicationBuilder:
    builder = WebApplicationBuilder(ServiceSettings(data_dir=tmp_path))
    builder.add_mediation(LAMPS)
    builder.add_event_sourcing(LAMPS, subscriptions=LAMPS)
    builder.add_documents(LAMPS)
    return builder


@pytest.fixture
def builder(builder_on_files: WebApplicationBuilder) -> WebApplicationBuilder:
    return in_memory(builder_on_files)


@pytest.fixture
def restored() -> Iterator[None]:
    """The process's loggers are as before."""
    loggers = [logging.getLogger(name) for name in (None, "uvicorn", "uvicorn.error")]
    before = [(logger.handlers[:], logger.level, logger.propagate) for logger in loggers]
    yield
    for logger, (handlers, level, propagate) in zip(loggers, before, strict=True):
        logger.handlers[:], logger.level, logger.propagate = handlers, level, propagate
