"""What must never get in: each of these is refused with the right problem, and nothing is stored or run."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from neuroglia.testing import RunningService, running
from tests.desktop_controller.builders import API, COMMANDS, ECHO
from tests.desktop_controller.conftest import builder_on
from tests.desktop_controller.doubles import SECRET, FakeHost
from tests.support.hostile import HOSTILE, STRUCTURES

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def host() -> FakeHost:
    return FakeHost()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def controller(host: FakeHost) -> AsyncIterator[RunningService]:
    """One for all, for none of these changes anything."""
    async with running(builder_on(host).build()) as service:
        yield service


async def refused(controller: RunningService, host: FakeHost, body: object) -> list[str]:
    """The pointers of a request that is refused with 422."""
    begun = len(host.executor.begun)
    answer = await controller.when("POST", COMMANDS, content=json.dumps(body), headers=JSON)
    answer.then_refused(422, "invalid-request")
    assert len(host.executor.begun) == begun
    return [error["pointer"] for error in answer.body["errors"]]


@pytest.mark.parametrize("name", ["nothing", "ECHO", "echo ", "/usr/bin/echo", "echo;id", "ech\u043e", "e" * 64])
async def test_commands_that_are_not_in_the_catalogue(controller: RunningService, host: FakeHost, name: str) -> None:
    assert await refused(controller, host, {"command": name, "arguments": {"text": "hi"}}) == ["/command"]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_names(controller: RunningService, host: FakeHost, text: str) -> None:
    assert await refused(controller, host, {"command": text}) == ["/command"]


@pytest.mark.parametrize(
    ("arguments", "pointers"),
    [
        ({}, ["/arguments/text"]),
        ({"text": 1}, ["/arguments/text"]),
        ({"text": None}, ["/arguments/text"]),
        ({"text": ["a"]}, ["/arguments/text"]),
        ({"text": "x" * 21}, ["/arguments/text"]),
        ({"text": "a", "more": "b"}, ["/arguments/more"]),
        ({"more": "b"}, ["/arguments/more", "/arguments/text"]),
        ({"text": SECRET}, ["/arguments/text"]),
        ([], ["/arguments"]),
        ("text=hi", ["/arguments"]),
        (None, ["/arguments"]),
    ],
    ids=str,
)
async def test_arguments(controller: RunningService, host: FakeHost, arguments: object, pointers: list[str]) -> None:
    assert await refused(controller, host, {"command": "echo", "arguments": arguments}) == pointers


@pytest.mark.parametrize("headers", [JSON, {**JSON, "Idempotency-Key": "k"}], ids=["no key", "a key"])
@pytest.mark.parametrize(
    "body",
    [
        r'{"command": "echo", "arguments": {"\ud800": "a"}}',
        r'{"command": "echo", "arguments": {"text": "\ud800"}}',
        r'{"command": "echo", "arguments": {"text": [{"a": "\udfff"}]}}',
        r'{"command": "echo", "arguments": {"text": {"\ud800": 1}}}',
        r'{"command": "\ud800", "arguments": {"text": "a"}}',
        r'{"command": "echo", "arguments": {"text": "a"}, "\ud800": 1}',
    ],
)
async def test_texts_with_half_a_character(
    controller: RunningService, host: FakeHost, body: str, headers: dict[str, str]
) -> None:
    answer = await controller.when("POST", COMMANDS, content=body, headers=headers)

    answer.then_refused(400, "malformed-request")
    assert host.executor.begun == []


@pytest.mark.parametrize("structure", STRUCTURES, ids=str)
async def test_structures_where_a_text_belongs(controller: RunningService, host: FakeHost, structure: object) -> None:
    assert await refused(controller, host, {"command": "echo", "arguments": {"text": structure}}) == ["/arguments/text"]
    assert await refused(controller, host, {**ECHO, "command": structure}) == ["/command"]


@pytest.mark.parametrize("seconds", [0, -1, -0.0, "5", "", True, [], {}, "NaN"], ids=repr)
async def test_times(controller: RunningService, host: FakeHost, seconds: object) -> None:
    assert await refused(controller, host, {**ECHO, "timeout_seconds": seconds}) == ["/timeout_seconds"]


@pytest.mark.parametrize("seconds", ["NaN", "Infinity", "-Infinity"])
async def test_times_that_are_no_json(controller: RunningService, host: FakeHost, seconds: str) -> None:
    body = f'{{"command": "echo", "arguments": {{"text": "hi"}}, "timeout_seconds": {seconds}}}'

    (await controller.when("POST", COMMANDS, content=body, headers=JSON)).then_refused(400, "malformed-request")


async def test_a_time_without_an_end(controller: RunningService, host: FakeHost) -> None:
    body = '{"command": "echo", "arguments": {"text": "hi"}, "timeout_seconds": 1e400}'

    (await controller.when("POST", COMMANDS, content=body, headers=JSON)).then_refused(422, "invalid-request")


@pytest.mark.parametrize("why", ["a\0b", "a\x1b[31m", "x" * 501, 7, [], {}], ids=str)
async def test_justifications(controller: RunningService, host: FakeHost, why: object) -> None:
    assert await refused(controller, host, {**ECHO, "justification": why}) == ["/justification"]


@pytest.mark.parametrize("field", ["status", "requested_by", "id", "argv", "exit_code", "$where"])
async def test_fields_that_are_not_for_the_caller_to_say(
    controller: RunningService, host: FakeHost, field: str
) -> None:
    assert await refused(controller, host, {**ECHO, field: "x"}) == [f"/{field}"]


@pytest.mark.parametrize("body", ["{", "", "[]", "null", "echo", '{"command": "echo", "command": "sleep"}', b"\xff"])
async def test_bodies_that_are_none(controller: RunningService, host: FakeHost, body: str | bytes) -> None:
    answer = await controller.when("POST", COMMANDS, content=body, headers=JSON)

    assert answer.then(answer.response.status_code, events=[]).response.status_code in {400, 422}
    assert answer.response.headers["content-type"] == "application/problem+json"


async def test_a_body_that_is_too_large(controller: RunningService, host: FakeHost) -> None:
    body = json.dumps({**ECHO, "justification": "x" * 2**20})

    (await controller.when("POST", COMMANDS, content=body, headers=JSON)).then_refused(413, "too-large")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_hostile_ids(controller: RunningService, text: str) -> None:
    quoted = "".join(f"%{byte:02X}" for byte in text.encode())

    for method, path in (("GET", ""), ("GET", "/output"), ("POST", "/cancel")):
        (await controller.when(method, f"{COMMANDS}/{quoted}{path}")).then_refused(404, "not-found")


@pytest.mark.parametrize("text", [text for text in HOSTILE.values() if len(text) <= 20], ids=str)
async def test_hostile_arguments_reach_the_program_as_one_element(
    controller: RunningService, host: FakeHost, text: str
) -> None:
    body = {"command": "echo", "arguments": {"text": text}}

    answer = await controller.when("POST", COMMANDS, json=body, headers={"Prefer": "wait=10"})

    answer.then(200, {"arguments": {"text": text}})
    assert host.executor.begun[-1].argv == ["/usr/bin/echo", text]


@pytest.mark.parametrize(
    "parameters",
    [{"status": "lost"}, {"status": ""}, {"limit": "0"}, {"limit": "201"}, {"limit": "x"}],
    ids=str,
)
async def test_filters(controller: RunningService, parameters: dict[str, str]) -> None:
    (await controller.when("GET", COMMANDS, params=parameters)).then_refused(422, "invalid-request")


async def test_cursors_of_other_lists(controller: RunningService) -> None:
    for cursor in ("!", "", "e30"):
        (await controller.when("GET", COMMANDS, params={"cursor": cursor})).then_refused(400, "malformed-request")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", COMMANDS, "GET, POST"), ("PUT", f"{COMMANDS}/c", "GET"), ("GET", f"{COMMANDS}/c/cancel", "POST"),
        ("POST", f"{COMMANDS}/catalogue", "GET"), ("POST", f"{API}/host/info", "GET, PUT"),
        ("GET", f"{API}/host/lock", "POST"), ("DELETE", f"{API}/user/info", "GET, PUT"),
        ("DELETE", f"{API}/files/a", "GET, PUT"), ("POST", f"{API}/files", "GET"),
    ],
)  # fmt: skip
async def test_methods_that_are_not_there(controller: RunningService, method: str, path: str, allowed: str) -> None:
    answer = (await controller.when(method, path)).then_refused(405, "method-not-allowed")

    assert answer.response.headers.get_list("allow") == [allowed]


async def test_given_a_disk_that_is_full_then_it_is_503_and_says_when_to_come_again(
    controller: RunningService, host: FakeHost
) -> None:
    host.store.full = True
    body: dict[str, Any] = {"candidate_name": "Ada"}

    answer = await controller.when("PUT", f"{API}/user/info", json=body)

    host.store.full = False
    answer.then_refused(503, "unavailable")
    assert answer.response.headers["retry-after"] == "1"
