"""The OpenAPI document says what is really there, who may call it, and what is really sent."""

import asyncio
from typing import Any

import pytest

from neuroglia.testing import Answer, RunningService
from tests.desktop_controller.builders import API, COMMANDS, ECHO, IN_TIME, SLEEP, submit_and_start
from tests.desktop_controller.doubles import FakeHost
from tests.desktop_controller.test_host_info import HOST_BODY, USER_BODY, turn
from tests.support.json_schema import mismatches
from tests.support.openapi import OPEN, Document, operations, require_told, require_whole

pytestmark = pytest.mark.service

ENDPOINTS = {
    ("get", "/api/v1/host/info"): "desktop:read",
    ("put", "/api/v1/host/info"): "desktop:write",
    ("post", "/api/v1/host/lock"): "desktop:execute",
    ("post", "/api/v1/host/unlock"): "desktop:execute",
    ("get", "/api/v1/user/info"): "desktop:read",
    ("put", "/api/v1/user/info"): "desktop:write",
    ("get", "/api/v1/commands/catalogue"): "desktop:read",
    ("post", "/api/v1/commands"): "desktop:execute",
    ("get", "/api/v1/commands"): "desktop:read",
    ("get", "/api/v1/commands/{command_id}"): "desktop:read",
    ("get", "/api/v1/commands/{command_id}/output"): "desktop:read",
    ("post", "/api/v1/commands/{command_id}/cancel"): "desktop:execute",
    ("get", "/api/v1/files"): "desktop:read",
    ("get", "/api/v1/files/{path}"): "desktop:read",
    ("put", "/api/v1/files/{path}"): "desktop:write",
    ("post", "/api/v1/cloudevents"): "events:write",
}


@pytest.fixture
async def document(controller: RunningService) -> Document:
    found: Document = (await controller.when("GET", "/api/openapi.json")).then(200).body
    return found


def own_operations(document: Document) -> dict[tuple[str, str], dict[str, Any]]:
    """All but those of the framework."""
    return {where: told for where, told in operations(document).items() if "/operations" not in where[1]}


async def test_every_endpoint_is_described_once_with_the_scopes_that_it_needs(document: Document) -> None:
    found = own_operations(document)

    assert set(found) == {*ENDPOINTS, *OPEN}
    assert {where: found[where]["x-required-scopes"] for where in ENDPOINTS} == {
        where: [scope] for where, scope in ENDPOINTS.items()
    }


async def test_the_document_is_whole_and_tells_what_each_endpoint_does_and_how_it_fails(document: Document) -> None:
    require_whole(document)
    require_told(document)


def fits(document: Document, method: str, path: str, answer: Answer) -> None:
    """The status and the body of a response are among those described."""
    responses = document["paths"][path][method]["responses"]
    status, media_type = str(answer.response.status_code), answer.response.headers.get("content-type", "")
    described = responses.get(status) or responses[f"{status[0]}XX"]
    content = described.get("content", {})
    if media_type in {"application/json", "application/problem+json"} and media_type in content:
        assert mismatches(document, content[media_type]["schema"], answer.body) == []
    else:
        kinds = {media_type.partition(";")[0], "*/*"} if media_type else {""}
        assert kinds & {*content} or (not content and answer.response.content == b"")


async def test_what_is_sent_is_as_described(controller: RunningService, host: FakeHost, document: Document) -> None:
    submitted = await controller.when("POST", COMMANDS, json=ECHO, headers=IN_TIME)
    id_ = submitted.then(200).body["id"]
    running = (await submit_and_start(controller, host, SLEEP)).command_id
    for verb in ("lock", "unlock"):
        answer = Answer(await asyncio.wait_for(turn(controller, host, verb, 0), 5), [])
        fits(document, "post", f"{API}/host/{verb}", answer.then(200))
    for method, path, request in (
        ("get", "/host/info", {}),
        ("put", "/host/info", {"json": HOST_BODY}),
        ("put", "/user/info", {"json": USER_BODY}),
        ("get", "/user/info", {}),
        ("get", "/commands/catalogue", {}),
        ("post", "/commands", {"json": ECHO}),
        ("get", "/commands", {}),
        ("get", "/commands/{command_id}", {}),
        ("get", "/commands/{command_id}/output", {}),
        ("get", "/commands/{command_id}/output", {"headers": {"Accept": "text/event-stream"}}),
        ("post", "/commands/{command_id}/cancel", {}),
        ("put", "/files/{path}", {"content": b"x"}),
        ("get", "/files/{path}", {}),
        ("get", "/files", {}),
    ):
        filled = path.format(command_id=running if path.endswith("/cancel") else id_, path="a/b.txt")
        answer = await controller.when(method.upper(), f"{API}{filled}", **request)

        assert answer.response.is_success, (method, path, answer.response.text)
        fits(document, method, f"{API}{path}", answer)


async def test_what_is_refused_is_as_described(controller: RunningService, document: Document) -> None:
    for method, path in ENDPOINTS:
        if path.endswith("lock"):
            continue  # they take nothing that could be wrong
        filled = path.format(command_id="none", path="%2e%2e")

        if method == "get":
            refusal = await controller.when("GET", filled, params={"cursor": "!", "limit": "0"})
        else:
            refusal = await controller.when(method.upper(), filled, content="{", headers={"Content-Type": "x/y"})

        if refusal.response.is_client_error:
            fits(document, method, path, refusal)
        else:
            assert (method, path) in {("get", "/api/v1/host/info"), ("get", "/api/v1/commands/catalogue")}


async def test_the_client_can_say_no_state(document: Document) -> None:
    requests = {name: schema for name, schema in document["components"]["schemas"].items() if "Request" in name}

    assert {"CommandRequest", "HostInfoRequest", "UserInfoRequest"} <= set(requests)
    for name, schema in requests.items():
        assert not {"state", "status", "is_locked", "requested_by"} & set(schema.get("properties", {})), name


async def test_the_root_leads_to_the_documentation(controller: RunningService) -> None:
    answer = await controller.when("GET", "/")

    assert (answer.response.status_code, answer.response.headers["location"]) == (307, "/api/docs")
    assert "Desktop Controller" in (await controller.when("GET", "/api/docs")).then(200).response.text
