"""Who has no credentials gets in nowhere, but to what is open to all."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

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


BROKEN: Final[list[dict[str, Any]]] = [
    {"content": b"{", "headers": {"Content-Type": "application/json"}},
    {"content": b"x" * 5_000_000},
    {"headers": {"X-Wait-For-Position": "x"}},
    {"headers": {"Idempotency-Key": "\u00e4".encode()}},
    {"headers": {"Idempotency-Key": "x" * 256, "If-Match": "x", "Prefer": "wait=x", "Last-Event-ID": "x"}},
    {"params": {"limit": "0", "cursor": "x", "as_of": "x", "status": "x", "from": "x"}},
]
"""What is wrong for whoever may ask: a body that is broken or too large, headers and parameters that mean nothing."""


async def let_in(app: FastAPI, token: str | None = None) -> list[str]:
    """Where one gets in all the same, or is told more than that one may not, with this token or none."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        if token is not None:
            client.headers["Authorization"] = f"Bearer {token}"
        refusal = 401 if token is None else 403
        return [
            f"{method} {path} {list(sent)}"
            for method, path in routes_of(app)
            for sent in ({}, *BROKEN)
            if path not in OPEN and (await client.request(method, path, **sent)).status_code != refusal
        ]
