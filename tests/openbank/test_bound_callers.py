"""A token with the claim `person_id`: what belongs to others is not there."""

from collections.abc import Mapping
from typing import Any

import pytest

from neuroglia.testing import RunningService
from openbank.domain.models.bank_account import BankAccount
from openbank.domain.models.person import Person
from openbank.domain.models.transfer import Transfer
from tests.openbank.builders import ADDRESS_BODY, PERSON_BODY, deposited, opened, registered, requested

pytestmark = pytest.mark.service

API = "/api/v1"
OWN, OTHERS, NONE = "own-account", "others-account", "no-account"
FOREIGN_TRANSFER, OWN_TRANSFER = "foreign-transfer", "own-transfer"


@pytest.fixture
async def people(bank: RunningService) -> RunningService:
    """Three persons, each with an account and a little money, and two transfers."""
    for person, account in (("ada", OWN), ("bob", OTHERS), ("eve", "third-account")):
        await bank.happened(Person, person, registered())
        await bank.happened(BankAccount, account, opened(owner=person), deposited("9", "9"))
    await bank.happened(Transfer, FOREIGN_TRANSFER, requested("third-account", OTHERS, "1"))
    await bank.happened(Transfer, OWN_TRANSFER, requested(OTHERS, OWN, "1"))
    await bank.settle()
    return bank


def ada(people: RunningService, *scopes: str) -> Mapping[str, str]:
    return people.tokens.bearer(scopes or ("bank:read", "bank:write"), person_id="ada")


@pytest.mark.parametrize(
    "path",
    [
        "/persons/ada",
        f"/accounts/{OWN}",
        f"/accounts/{OWN}?as_of=2999-01-01T00:00:00Z",
        f"/accounts/{OWN}/transactions",
        f"/accounts/{OWN}/events",
        f"/transfers/{OWN_TRANSFER}",
        f"/transfers?account_id={OWN}",
        "/accounts?owner_id=ada",
    ],
)
async def test_own_things_are_there(people: RunningService, path: str) -> None:
    (await people.when("GET", API + path, headers=ada(people))).then(200)


@pytest.mark.parametrize(
    ("path", "unknown"),
    [
        ("/persons/bob", "/persons/nobody"),
        (f"/accounts/{OTHERS}", f"/accounts/{NONE}"),
        (f"/accounts/{OTHERS}?as_of=2999-01-01T00:00:00Z", f"/accounts/{NONE}?as_of=2999-01-01T00:00:00Z"),
        (f"/accounts/{OTHERS}/transactions", f"/accounts/{NONE}/transactions"),
        (f"/accounts/{OTHERS}/events", f"/accounts/{NONE}/events"),
        (f"/transfers/{FOREIGN_TRANSFER}", "/transfers/none"),
        (f"/transfers?account_id={OTHERS}", f"/transfers?account_id={NONE}"),
        ("/accounts?owner_id=bob", "/accounts?owner_id=nobody"),
    ],
)
async def test_what_is_others_is_answered_as_if_there_was_nothing(
    people: RunningService, path: str, unknown: str
) -> None:
    hidden = (await people.when("GET", API + path, headers=ada(people))).then_refused(404, "not-found").body
    missing = (await people.when("GET", API + unknown, headers=ada(people))).then_refused(404, "not-found").body

    assert hidden | {"correlation_id": ""} == missing | {"correlation_id": ""}
    assert (await people.client.get(API + path)).status_code == 200  # for a teller


async def test_anothers_movement_is_not_there(people: RunningService) -> None:
    lines = (await people.when("GET", f"{API}/accounts/{OTHERS}/transactions")).body["items"]
    own = (await people.when("GET", f"{API}/accounts/{OWN}/transactions")).body["items"]

    (await people.when("GET", f"{API}/transactions/{lines[0]['id']}", headers=ada(people))).then_refused(
        404, "not-found"
    )
    (await people.when("GET", f"{API}/transactions/{own[0]['id']}", headers=ada(people))).then(200)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("PUT", "/persons/bob/address", ADDRESS_BODY, 404, "not-found"),
        ("POST", f"/accounts/{OTHERS}/freeze", {}, 404, "not-found"),
        ("POST", f"/accounts/{OTHERS}/unfreeze", {}, 404, "not-found"),
        ("POST", f"/accounts/{OTHERS}/close", {}, 404, "not-found"),
        ("POST", "/accounts", {"owner_id": "bob"}, 422, "unknown-owner"),
        ("POST", "/persons", PERSON_BODY, 403, "forbidden"),
        ("POST", "/transactions/deposits", {"account_id": OTHERS, "amount": "1.00"}, 404, "not-found"),
        ("POST", "/transactions/withdrawals", {"account_id": OTHERS, "amount": "1.00"}, 404, "not-found"),
        (
            "POST",
            "/transfers",
            {"from_account_id": OTHERS, "to_account_id": OWN, "amount": "1.00"},
            404,
            "not-found",
        ),
        ("GET", "/transfers", None, 422, "invalid-request"),
    ],
)
async def test_nothing_of_others_can_be_changed(
    people: RunningService, method: str, path: str, body: Any, status: int, code: str
) -> None:
    (await people.when(method, API + path, json=body, headers=ada(people))).then_refused(status, code)


async def test_own_money_can_be_moved(people: RunningService) -> None:
    body = {"from_account_id": OWN, "to_account_id": OTHERS, "amount": "2.00"}
    transfer = await people.when("POST", f"{API}/transfers", json=body, headers={**ada(people), "Prefer": "wait=10"})

    transfer.then(200, {"status": "completed"})
    withdrawal = {"account_id": OWN, "amount": "1.00"}
    (await people.when("POST", f"{API}/transactions/withdrawals", json=withdrawal, headers=ada(people))).then(201)


async def test_lists_hold_what_is_own(people: RunningService) -> None:
    persons = (await people.when("GET", f"{API}/persons", headers=ada(people))).then(200).body["items"]
    accounts = (await people.when("GET", f"{API}/accounts", headers=ada(people))).then(200).body["items"]

    assert [person["id"] for person in persons] == ["ada"]
    assert [account["id"] for account in accounts] == [OWN]


async def test_who_is_bound_to_nobody_there_is_finds_nothing(people: RunningService) -> None:
    nobody = people.tokens.bearer(["bank:read"], person_id=None)

    (await people.when("GET", f"{API}/accounts/{OWN}", headers=nobody)).then_refused(404, "not-found")
    assert (await people.when("GET", f"{API}/accounts", headers=nobody)).body["items"] == []
    assert (await people.when("GET", f"{API}/persons", headers=nobody)).then(200).body["items"] == []
    broken = await people.when("GET", f"{API}/persons?cursor=zzz", headers=ada(people))
    broken.then_refused(400, "malformed-request")


@pytest.mark.parametrize(("scope", "status"), [("bank:read", 403), ("bank:write", 200), ("operations:admin", 403)])
async def test_a_change_wants_the_tellers_scope(people: RunningService, scope: str, status: int) -> None:
    answer = await people.when("POST", f"{API}/accounts/{OWN}/freeze", headers=people.tokens.bearer([scope]))

    assert answer.response.status_code == status
    if status == 403:
        answer.then_refused(403, "forbidden")
        assert answer.response.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="bank:write"'


async def test_events_tell_who_did_it(people: RunningService) -> None:
    await people.when(
        "POST", f"{API}/accounts/{OWN}/freeze", headers=people.tokens.bearer(["bank:write"], sub="teller-7")
    )

    trail = (await people.when("GET", f"{API}/accounts/{OWN}/events")).body["items"]
    assert trail[-1]["actor"] == "teller-7"
