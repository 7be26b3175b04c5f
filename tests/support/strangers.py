"""Who has no credentials gets in nowhere, but to what is open to all."""

import re
from collections.abc import Iterable, Iterator

import httpx
from fastapi import FastAPI
from starlette.routing import BaseRoute

OPEN = {"/", "/health/live", "/health/ready", "/api/docs", "/api/docs/oauth2-redirect", "/api/openapi.json"}


def routes_of(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Every method and path that an application serves, with something for each parameter."""
    for route in _all(app.routes):
        for method in sorted(getattr(route, "methods", None) or ["GET"]):
            yield method, re.sub(r"\{[^}]+\}", "x", getattr(route, "path", ""))


def _all(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    for route in routes:
        included = getattr(route, "original_router", None)
        yield from [route] if included is None else _all(included.routes)


async def let_in(app: FastAPI, token: str | None = None) -> list[str]:
    """Where one gets in all the same, with this token or none."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client:
        refusal = 401 if token is None else 403
        return [
            f"{method} {path}"
            for method, path in routes_of(app)
            if path not in OPEN and (await client.request(method, path)).status_code != refusal
        ]
