"""The API Gateway in the test's process, with an outside that the test holds in its hands."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from api_gateway.integration.ports import Callbacks, DataPackages, Dependency, GenAiService, ObjectStore, UrlGuard
from api_gateway.main import create_builder
from api_gateway.settings import ApiGatewaySettings
from neuroglia.core import Clock
from neuroglia.documents import DocumentStore
from neuroglia.hosting import WebApplicationBuilder
from neuroglia.scheduling.workers import JobWorkers
from neuroglia.testing import RunningService, in_memory, running
from tests.api_gateway.doubles import FakeGuard, FakeObjects, Outside


def builder_on(outside: Outside, *, clock: Clock | None = None, **settings: Any) -> WebApplicationBuilder:
    """All parts of the gateway, in memory and in this outside."""
    builder = create_builder(ApiGatewaySettings(**{"log_level": "ERROR", **settings}))
    services = builder.services
    services.add_instance(GenAiService, outside.genai)
    services.add_instance(DataPackages, outside.packages)
    services.add_instance(Callbacks, outside.callbacks)
    services.add_instance(UrlGuard, FakeGuard())
    services.add_instance(ObjectStore, FakeObjects())
    for dependency in outside.dependencies:
        services.add_instance(Dependency, dependency)
    if clock is not None:
        services.add_instance(Clock, clock)
    return in_memory(builder)


@asynccontextmanager
async def idle_on(store: DocumentStore) -> AsyncGenerator[RunningService]:
    """A gateway on this store. Nobody does its jobs: nobody else is at its prompts."""
    builder = builder_on(Outside())
    builder.services.add_singleton(DocumentStore, lambda: store)
    async with running(builder.build()) as gateway:
        await (await gateway.services.get(JobWorkers)).stop()
        yield gateway


@pytest.fixture
def outside() -> Outside:
    return Outside()


@pytest.fixture
async def gateway(outside: Outside) -> AsyncIterator[RunningService]:
    async with running(builder_on(outside).build()) as service:
        yield service
