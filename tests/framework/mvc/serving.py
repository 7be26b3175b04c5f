"""Controllers served as an application serves them, in the test's process."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI

from neuroglia.hosting import ServiceSettings, WebApplicationBuilder
from neuroglia.mvc import ControllerBase
from neuroglia.testing.tokens import Tokens, scopes_of


def application(*controllers: type[ControllerBase], settings: ServiceSettings | None = None) -> FastAPI:
    """An application that consists of these controllers."""
    builder = WebApplicationBuilder(settings or ServiceSettings())
    builder.add_mediation("tests.framework.mvc.greetings")
    for controller in controllers:
        builder.services.add_singleton(controller)
        builder._controllers.append(controller)
    return builder.build()


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    """Requests to an application below `/api/v1`, of somebody who may do everything; failures arrive as responses."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = (await Tokens.believed_by(app.state.services)).bearer(scopes_of(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1", headers=headers) as client:
        yield client


@asynccontextmanager
async def serving(
    *controllers: type[ControllerBase], settings: ServiceSettings | None = None
) -> AsyncGenerator[httpx.AsyncClient]:
    """An application of these controllers, and requests to it."""
    async with client_of(application(*controllers, settings=settings)) as client:
        yield client
