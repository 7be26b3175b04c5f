"""Whatever somebody writes into a path, a filter or a body is nothing but text, on both durable engines.

The endpoints are those that the description tells, so a new one is tried as well. (Those of the framework itself are
tried where they are tested: CloudEvents and operations.)
"""

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_asyncio

from neuroglia.testing import RunningService
from tests.openbank.builders import ADDRESS_BODY, PERSON_BODY, all_pages, deposited, new_account
from tests.support.engines import DURABLE
from tests.support.hostile import HOSTILE, STRUCTURES

pytestmark = [
    pytest.mark.service,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.parametrize("engine", DURABLE, indirect=True),
]
API = "/api/v1"
OF_THE_FRAMEWORK = (f"{API}/operations", f"{API}/cloudevents")
PRESENT = {"{account_id}": "a", "{person_id}": "ada"}
REASON = {"reason": "so it is"}
MOVEMENT = {"account_id": "a", "amount": "1.00", "reference": "x"}
BODIES: dict[str, dict[str, Any]] = {
    "/persons": PERSON_BODY,
    "/persons/{person_id}/address": ADDRESS_BODY,
    "/accounts": {"owner_id": "ada", "currency": "EUR", "overdraft_limit": "0.00"},
    **{f"/accounts/{{account_id}}/{verb}": REASON for verb in ("freeze", "unfreeze", "close")},
    "/transfers": {"from_account_id": "a", "to_account_id": "b", "amount": "1.00", "reference": "x"},
    **{f"/transactions/{kind}": MOVEMENT for kind in ("deposits", "withdrawals")},
}
on_every_text = pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
Endpoint = tuple[str, str, dict[str, Any]]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def endpoints(shared_bank: RunningService) -> list[Endpoint]:
    """Method, path, and description of each."""
    await new_account(shared_bank, deposited("5", "5"))
    paths = (await shared_bank.when("GET", "/api/openapi.json")).then(200).body["paths"]
    return [
        (method.upper(), path.removeprefix(API), endpoint)
        for path, methods in paths.items()
        for method, endpoint in methods.items()
        if path.startswith(API) and not path.startswith(OF_THE_FRAMEWORK)
    ]


def filled(path: str) -> str:
    """The path of what is there."""
    return API + re.sub(r"\{\w+\}", lambda name: PRESENT[name[0]], path)


def filters(endpoints: list[Endpoint]) -> Iterator[tuple[str, str]]:
    """Each path with each of its query parameters."""
    for _, path, endpoint in endpoints:
        for parameter in endpoint.get("parameters", []):
            if parameter["in"] == "query":
                yield filled(path), parameter["name"]


@on_every_text
async def test_given_hostile_text_in_a_path_then_nothing_is_found(
    shared_bank: RunningService, endpoints: list[Endpoint], text: str
) -> None:
    quoted = "".join(f"%{byte:02X}" for byte in text.encode())

    for method, path, _ in endpoints:
        if "{" in path:
            hostile = API + re.sub(r"\{\w+\}", quoted, path)
            (await shared_bank.when(method, hostile, json=BODIES.get(path))).then_refused(404, "not-found")


@on_every_text
async def test_given_hostile_text_as_an_id_in_a_body_then_nobody_is_found(
    shared_bank: RunningService, text: str
) -> None:
    deposit, account = {"account_id": text, "amount": "1"}, {"owner_id": text}

    (await shared_bank.when("POST", f"{API}/transactions/deposits", json=deposit)).then_refused(404, "not-found")
    (await shared_bank.when("POST", f"{API}/accounts", json=account)).then_refused(422, "unknown-owner")


@on_every_text
async def test_given_hostile_text_in_a_filter_then_it_is_refused_or_finds_nothing(
    shared_bank: RunningService, endpoints: list[Endpoint], text: str
) -> None:
    for path, name in filters(endpoints):
        if (name, text) != ("limit", "1"):
            answer = await shared_bank.when("GET", path, params={name: text})

            assert answer.response.status_code in {200, 400, 422}, (path, name, answer.response.text)
            if answer.response.status_code == 200:
                assert name in {"owner_id", "account_id"}
                assert answer.body["items"] == []


@pytest.mark.parametrize(
    "operator", ["[$ne]", "[$gt]", "[$regex]", "[]", ".$ne", "__ne", "[$where]", "\0", "%5B$ne%5D"]
)
async def test_given_an_operator_in_the_name_of_a_filter_then_all_is_as_without_it(
    shared_bank: RunningService, endpoints: list[Endpoint], operator: str
) -> None:
    for path, name in [*filters(endpoints), *((path, "$where") for path, _ in filters(endpoints))]:
        plain = await shared_bank.when("GET", path)

        (await shared_bank.when("GET", path, params={f"{name}{operator}": "1"})).then(200, plain.body)


def places(body: dict[str, Any], *above: str) -> Iterator[tuple[str, ...]]:
    """The way to each field of a body."""
    for name, value in body.items():
        yield (*above, name)
        if isinstance(value, dict):
            yield from places(value, *above, name)


@pytest.mark.parametrize("structure", STRUCTURES, ids=str)
async def test_given_a_structure_in_a_body_where_a_text_belongs_then_it_is_refused(
    shared_bank: RunningService, endpoints: list[Endpoint], structure: object
) -> None:
    assert set(BODIES) == {path for _, path, endpoint in endpoints if "requestBody" in endpoint}
    for method, path, endpoint in endpoints:
        for place in places(BODIES[path]) if "requestBody" in endpoint else ():
            body: Any = copy.deepcopy(BODIES[path])
            *above, name = place
            within = body
            for step in above:
                within = within[step]
            within[name] = structure

            problem = (await shared_bank.when(method, filled(path), json=body)).then_refused(422, "invalid-request")

            assert all(error["pointer"].startswith("/" + "/".join(place)) for error in problem.body["errors"])


@pytest.mark.parametrize("text", [text for text in HOSTILE.values() if text.isprintable()], ids=lambda text: text[:20])
async def test_given_hostile_text_where_any_text_may_stand_then_it_comes_back_as_it_was(
    shared_bank: RunningService, text: str
) -> None:
    person = (await shared_bank.when("POST", f"{API}/persons", json={**PERSON_BODY, "last_name": text})).then(201)
    account = (await shared_bank.when("POST", f"{API}/accounts", json={"owner_id": person.body["id"]})).then(201)
    id = account.body["id"]
    deposit = {"account_id": id, "amount": "1", "reference": text}
    (await shared_bank.when("POST", f"{API}/transactions/deposits", json=deposit)).then(201, {"reference": text})
    (await shared_bank.when("POST", f"{API}/accounts/{id}/freeze", json={"reason": text})).then(200)

    (await shared_bank.when("GET", person.response.headers["location"])).then(200, {"last_name": text})
    (await shared_bank.when("GET", f"{API}/accounts/{id}")).then(200, {"owner_name": f"Ada {text}"})
    (line,) = (await all_pages(shared_bank, f"{API}/accounts/{id}/transactions"))[0]
    assert line["reference"] == text
    *_, frozen = (await all_pages(shared_bank, f"{API}/accounts/{id}/events"))[0]
    assert frozen["data"]["reason"] == text
