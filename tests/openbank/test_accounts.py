"""Opening, showing and listing accounts over HTTP."""

from decimal import Decimal

import pytest

from neuroglia.domain import DomainEvent
from neuroglia.testing import RunningService
from openbank.domain.events.accounts import AccountOpened
from openbank.domain.models.money import Currency, Money
from tests.openbank.builders import (
    CLOSED,
    FROZEN,
    PERSON_BODY,
    UNFROZEN,
    all_pages,
    deposited,
    head,
    new_account,
    opened,
    withdrawn,
)

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]
ACCOUNTS = "/api/v1/accounts"
FIELDS = {
    "id", "owner_id", "owner_name", "currency", "balance", "available", "overdraft_limit", "status", "opened_at",
    "version",
}  # fmt: skip


async def test_when_opening_then_the_account_is_told_recorded_and_found(shared_bank: RunningService) -> None:
    answer = await shared_bank.when(
        "POST", ACCOUNTS, json={"owner_id": "ada", "currency": "CHF", "overdraft_limit": "250.5"}
    )

    answer.then(
        201,
        {
            "owner_id": "ada",
            "owner_name": "Ada Lovelace",
            "currency": "CHF",
            "balance": "0.00",
            "available": "250.50",
            "overdraft_limit": "250.50",
            "status": "open",
            "version": 0,
        },
        events=[AccountOpened(owner_id="ada", overdraft_limit=Money(Decimal("250.50"), Currency.CHF))],
    )
    assert set(answer.body) == FIELDS
    assert answer.body["opened_at"].endswith("Z")
    assert answer.response.headers["location"] == f"{ACCOUNTS}/{answer.body['id']}"
    assert answer.response.headers["x-event-position"] == str(await head(shared_bank))
    (await shared_bank.when("GET", answer.response.headers["location"])).then(200, answer.body, events=[])


async def test_when_opening_with_defaults_then_it_is_in_euros_without_overdraft(shared_bank: RunningService) -> None:
    answer = await shared_bank.when("POST", ACCOUNTS, json={"owner_id": "ada"})

    answer.then(201, {"currency": "EUR", "overdraft_limit": "0.00", "available": "0.00"}, events=[opened()])


@pytest.mark.parametrize("currency", list(Currency))
async def test_every_currency_of_the_bank_can_be_opened(shared_bank: RunningService, currency: Currency) -> None:
    answer = await shared_bank.when("POST", ACCOUNTS, json={"owner_id": "ada", "currency": currency})

    answer.then(201, {"currency": currency.value})


async def test_given_nobody_when_opening_then_it_is_refused(shared_bank: RunningService) -> None:
    (await shared_bank.when("POST", ACCOUNTS, json={"owner_id": "nobody"})).then_refused(422, "unknown-owner")


async def test_given_an_owner_just_registered_when_opening_at_once_then_no_read_model_is_asked(
    shared_bank: RunningService,
) -> None:
    for _ in range(5):
        owner = (await shared_bank.client.post("/api/v1/persons", json=PERSON_BODY)).json()  # no settling between

        answer = await shared_bank.client.post(ACCOUNTS, json={"owner_id": owner["id"]})

        assert (answer.status_code, answer.json()["owner_name"]) == (201, "Ada Lovelace")


@pytest.mark.parametrize(
    ("history", "shown"),
    [
        ((), {"balance": "0.00", "available": "10.00", "status": "open", "version": 0}),
        ((deposited("5", "5"),), {"balance": "5.00", "available": "15.00", "status": "open", "version": 1}),
        ((withdrawn("4", "-4"),), {"balance": "-4.00", "available": "6.00", "status": "open", "version": 1}),
        ((FROZEN,), {"status": "frozen", "version": 1}),
        ((FROZEN, UNFROZEN), {"status": "open", "version": 2}),
        ((CLOSED,), {"status": "closed", "version": 1}),
        ((deposited("5", "5"), FROZEN), {"balance": "5.00", "status": "frozen", "version": 2}),
    ],
)
async def test_an_account_is_shown_as_its_events_made_it(
    shared_bank: RunningService, history: tuple[DomainEvent, ...], shown: dict[str, object]
) -> None:
    account = await new_account(shared_bank, *history, overdraft="10")

    answer = await shared_bank.when("GET", f"{ACCOUNTS}/{account}")

    answer.then(200, {"id": account, "owner_name": "Ada Lovelace", **shown})
    assert await all_pages(shared_bank, ACCOUNTS, owner_id=f"owner-of-{account}") == [[answer.body]]


async def test_given_no_account_when_showing_then_it_is_404(shared_bank: RunningService) -> None:
    (await shared_bank.when("GET", f"{ACCOUNTS}/none")).then_refused(404, "not-found")
