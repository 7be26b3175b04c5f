"""Cursors fit the list that they come from, and no other; nothing that is written into one does any harm."""

import base64
import json
from typing import Any

import pytest
import pytest_asyncio

from neuroglia.testing import RunningService
from tests.openbank.builders import deposited, new_account, withdrawn

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cursors(shared_bank: RunningService) -> dict[str, str]:
    """A list of each kind, and the cursor behind its first item."""
    moved = (deposited("5", "5"), deposited("5", "10"), withdrawn("1", "9"), withdrawn("1", "8"))
    one, other = await new_account(shared_bank, *moved), await new_account(shared_bank, *moved)
    lists = [
        "/api/v1/persons?",
        "/api/v1/accounts?",
        f"/api/v1/accounts/{one}/transactions?",
        f"/api/v1/accounts/{other}/transactions?",
        f"/api/v1/accounts/{one}/transactions?type=deposit&",
        f"/api/v1/accounts/{one}/transactions?type=withdrawal&",
        f"/api/v1/accounts/{one}/transactions?from=2000-01-01T00:00:00Z&",
        f"/api/v1/accounts/{one}/transactions?from=2000-01-02T00:00:00Z&",
        f"/api/v1/accounts/{one}/transactions?to=2999-01-01T00:00:00Z&",
        f"/api/v1/accounts/{one}/events?",
        f"/api/v1/accounts/{other}/events?",
    ]
    found: dict[str, str] = {}
    for path in lists:
        found[path] = (await shared_bank.when("GET", f"{path}limit=1")).then(200).body["next_cursor"]
    return found


async def test_a_cursor_of_another_list_or_other_filters_is_refused(
    shared_bank: RunningService, cursors: dict[str, str]
) -> None:
    assert len(set(cursors.values())) == len(cursors)
    for path in cursors:
        for origin, cursor in cursors.items():
            answer = await shared_bank.when("GET", f"{path}cursor={cursor}")
            if origin == path:
                answer.then(200)
            else:
                answer.then_refused(400, "malformed-request")


async def test_a_cursor_fits_whatever_the_limit(shared_bank: RunningService, cursors: dict[str, str]) -> None:
    for path, cursor in cursors.items():
        for limit in (1, 2, 200):
            (await shared_bank.when("GET", f"{path}limit={limit}&cursor={cursor}")).then(200)


def forged(cursor: str, values: list[Any]) -> str:
    digest, *_ = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    return base64.urlsafe_b64encode(json.dumps([digest, *values]).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "value", [10**100, -(10**100), 2**63, float("nan"), float("inf"), "\ud800", [], {}, [[1]]], ids=lambda v: str(v)[:9]
)
async def test_a_forged_cursor_that_no_store_can_look_for_is_refused(
    shared_bank: RunningService, cursors: dict[str, str], value: object
) -> None:
    for path, cursor in cursors.items():
        length = len(json.loads(base64.urlsafe_b64decode(cursor + "=="))) - 1
        for place in range(length):
            values = [value if index == place else "x" for index in range(length)]
            answer = await shared_bank.when("GET", path, params={"cursor": forged(cursor, values)})
            answer.then_refused(400, "malformed-request")


@pytest.mark.parametrize(
    "value", [None, True, 0, -5, 1.5, 2**63 - 1, "", "'; DROP TABLE accounts; --", "\0", "🦊"], ids=str
)
async def test_a_forged_cursor_that_can_be_looked_for_shows_the_own_list_alone(
    shared_bank: RunningService, cursors: dict[str, str], value: object
) -> None:
    for path, cursor in cursors.items():
        whole = (await shared_bank.when("GET", path)).then(200).body["items"]
        length = len(json.loads(base64.urlsafe_b64decode(cursor + "=="))) - 1

        answer = await shared_bank.when("GET", path, params={"cursor": forged(cursor, [value] * length)})

        assert answer.response.status_code in {200, 400}, answer.response.text
        if answer.response.status_code == 200:
            assert all(item in whole for item in answer.body["items"])


@pytest.mark.parametrize("values", [[], ["x"] * 5, ["x"] * 100], ids=len)
async def test_a_forged_cursor_of_another_length_is_refused(
    shared_bank: RunningService, cursors: dict[str, str], values: list[str]
) -> None:
    for path, cursor in cursors.items():
        answer = await shared_bank.when("GET", path, params={"cursor": forged(cursor, values)})
        answer.then_refused(400, "malformed-request")
