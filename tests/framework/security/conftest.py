"""A service that believes an issuer of the test's own."""

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from neuroglia.core import Clock, current_context
from neuroglia.hosting import ServiceSettings, WebApplicationBuilder
from neuroglia.mvc import ControllerBase, get, post
from neuroglia.testing import FixedClock
from tests.framework.security.issuers import Issuer, issuing


class ThingsController(ControllerBase):
    @get("/who", scopes=["r"])
    async def who(self) -> str:
        """Who asks."""
        return current_context().principal.id

    @get("/roles", scopes=["r", "admin"])
    async def roles(self) -> list[str]:
        """What they are."""
        return sorted(current_context().principal.roles)

    @post("/things/{number}", scopes=["w"])
    async def make(self, number: int, thing: dict[str, int]) -> int:
        """Something with a body and a parameter."""
        return number + len(thing)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuing() as found:
        yield found


def application(issuer: Issuer, **settings: str) -> WebApplicationBuilder:
    builder = WebApplicationBuilder(ServiceSettings(oauth2_issuer=issuer.url, **settings))
    builder.add_mediation("tests.framework.mvc.greetings")
    builder.services.add_singleton(ThingsController)
    builder._controllers.append(ThingsController)
    return builder


def client_of(app: FastAPI) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test/api/v1/things")


@dataclass
class Service:
    """Requests with tokens, and the clock by which they are judged."""

    http: httpx.AsyncClient
    clock: FixedClock

    async def who(self, token: str | None, path: str = "/who") -> httpx.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return await self.http.get(path, headers=headers)

    def later(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))


@pytest.fixture
async def service(issuer: Issuer, now: Callable[[], FixedClock]) -> AsyncIterator[Service]:
    builder, clock = application(issuer), now()
    builder.services.add_instance(Clock, clock)
    app = builder.build()
    async with app.state.services, client_of(app) as http:
        yield Service(http, clock)


@pytest.fixture
def now() -> Callable[[], FixedClock]:
    """Clocks that stand at the real time."""
    from neuroglia.core import SystemClock

    return lambda: FixedClock(SystemClock().now())
