"""The OpenAPI document says what is really there, who may call it, and what is really sent."""

from typing import Any

import pytest

from neuroglia.testing import RunningService
from tests.api_gateway.callers import API, CALLBACK, Caller, admin, agent, caller
from tests.api_gateway.doubles import Outside
from tests.support.json_schema import mismatches
from tests.support.openapi import OPEN, Document, operations, require_told, require_whole

pytestmark = pytest.mark.service

SEES = ["prompts:read", "gateway:admin"]
ADMIN = ["gateway:admin"]
ENDPOINTS = {
    ("post", "/api/v1/prompts"): ["prompts:create"],
    ("get", "/api/v1/prompts"): SEES,
    ("get", "/api/v1/prompts/{prompt_id}"): SEES,
    ("get", "/api/v1/prompts/{prompt_id}/events"): SEES,
    ("post", "/api/v1/prompts/{prompt_id}/cancel"): ["prompts:create", "gateway:admin"],
    ("post", "/api/v1/prompts/{prompt_id}/retry"): ADMIN,
    ("post", "/api/v1/internal/prompts/{prompt_id}/response"): ["prompts:respond"],
    ("post", "/api/v1/api-keys"): ADMIN,
    ("get", "/api/v1/api-keys"): ADMIN,
    ("delete", "/api/v1/api-keys/{key_id}"): ADMIN,
    ("post", "/api/v1/api-keys/{key_id}/rotate"): ADMIN,
    ("get", "/api/v1/dependencies/health"): ADMIN,
    ("post", "/api/v1/cloudevents"): ["events:write"],
}


@pytest.fixture
async def document(gateway: RunningService) -> Document:
    found: Document = (await gateway.client.get("/api/openapi.json")).json()
    return found


def own_operations(document: Document) -> dict[tuple[str, str], dict[str, Any]]:
    """All but those of the framework."""
    return {where: told for where, told in operations(document).items() if "/operations" not in where[1]}


async def test_every_endpoint_is_described_with_the_scopes_that_it_needs(document: Document) -> None:
    found = own_operations(document)

    assert set(found) == {*ENDPOINTS, *OPEN}
    assert {where: found[where]["x-required-scopes"] for where in ENDPOINTS} == ENDPOINTS
    for where in ENDPOINTS:
        assert {name for one in found[where]["security"] for name in one} == {"oauth2", "api_key"}


async def test_the_document_is_whole_and_tells_what_each_endpoint_does_and_how_it_fails(document: Document) -> None:
    require_whole(document)
    require_told(document)


async def test_what_is_sent_is_what_is_described(gateway: RunningService, outside: Outside, document: Document) -> None:
    def fits(value: Any, method: str, path: str, status: int) -> None:
        content = document["paths"][f"/api/v1{path}"][method]["responses"][str(status)]["content"]
        assert mismatches(document, content["application/json"]["schema"], value) == []

    issued = await admin(
        gateway, "POST", "/api-keys", 201,
        json={"caller_id": "acme", "permissions": ["prompts:create", "prompts:read"], "rate_limit": "99/minute"},
    )  # fmt: skip
    fits(issued, "post", "/api-keys", 201)
    fits(await admin(gateway, "GET", "/api-keys", 200), "get", "/api-keys", 200)
    acme = Caller(gateway, issued["secret"])
    sent = await acme.send(callback_url=CALLBACK, data_url="https://caller.example/data", request_id="r-1")
    fits(sent, "post", "/prompts", 201)
    done = await acme.sees(sent["id"], "responded")
    fits(done, "get", "/prompts/{prompt_id}", 200)
    fits((await acme.request("GET", "/prompts")).json(), "get", "/prompts", 200)
    fits(await agent(gateway, sent["id"], done["response"], 200), "post", "/internal/prompts/{prompt_id}/response", 200)
    fits(await admin(gateway, "GET", "/dependencies/health", 200), "get", "/dependencies/health", 200)


async def test_the_api_takes_and_gives_no_secret_twice(gateway: RunningService) -> None:
    acme = await caller(gateway)
    secret = acme.headers["X-API-Key"].partition(".")[2]

    for path in ("/api-keys", "/prompts", "/operations/jobs"):
        answer = await gateway.client.get(f"{API}{path}")
        assert answer.status_code == 200, answer.text
        assert secret not in answer.text
