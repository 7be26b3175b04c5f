"""What the outside is told of the bank: every event, and nothing personal."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from neuroglia.cloud_events import CloudEventBus
from neuroglia.cloud_events.publications import read_publications
from neuroglia.core.scanning import classes, import_modules
from neuroglia.documents import DocumentStore, WorkItems, WorkState
from neuroglia.domain import AggregateRoot, DomainEvent
from neuroglia.event_sourcing import EventCodec
from neuroglia.testing import RunningService, running
from openbank.domain.events.accounts import AccountClosed, AccountFrozen, AccountUnfrozen
from openbank.domain.events.persons import PersonAddressChanged, PersonRegistered
from openbank.domain.events.transfers import TransferCompleted, TransferRefunded, TransferRejected
from openbank.domain.models.bank_account import BankAccount
from openbank.domain.models.gender import Gender
from openbank.domain.models.person import Person
from openbank.domain.models.transfer import Transfer
from tests.openbank.builders import ADDRESS, debited, deposited, given_account, opened, requested, withdrawn
from tests.openbank.conftest import builder_on
from tests.support.engines import Backing
from tests.support.waiting import eventually

pytestmark = pytest.mark.service

FREE = {"currency": "EUR", "transfer_id": None}
PERSONAL = ("Grace", "Hopper", "1906", "female", "US", "Unter den Linden", "10117", "Berlin", "secret")
SAMPLES: list[tuple[type[AggregateRoot], DomainEvent, Mapping[str, Any]]] = [
    (
        Person,
        PersonRegistered(
            first_name="Grace",
            last_name="Hopper",
            nationality="US",
            date_of_birth=date(1906, 12, 9),
            gender=Gender.FEMALE,
            address=ADDRESS,
        ),
        {"person_id": "x"},
    ),
    (Person, PersonAddressChanged(address=ADDRESS), {"person_id": "x"}),
    (
        BankAccount,
        opened(owner="ada", overdraft="100"),
        {"account_id": "x", "owner_id": "ada", "currency": "EUR", "overdraft_limit": "100.00", "status": "open"},
    ),
    (
        BankAccount,
        deposited("12.5", "12.5", "secret"),
        {
            "account_id": "x",
            "type": "deposit",
            "amount": "12.50",
            "balance_after": "12.50",
            "currency": "EUR",
            "transfer_id": None,
        },
    ),
    (
        BankAccount,
        withdrawn("2.5", "10", "secret"),
        {
            "account_id": "x",
            "type": "withdrawal",
            "amount": "2.50",
            "balance_after": "10.00",
            "currency": "EUR",
            "transfer_id": None,
        },
    ),
    (BankAccount, AccountFrozen(reason="secret"), {"account_id": "x", "status": "frozen"}),
    (BankAccount, AccountUnfrozen(reason="secret"), {"account_id": "x", "status": "open"}),
    (BankAccount, AccountClosed(reason="secret"), {"account_id": "x", "status": "closed"}),
    (
        Transfer,
        requested(reference="secret"),
        {
            "transfer_id": "x",
            "status": "requested",
            "from_account_id": "a",
            "to_account_id": "b",
            "amount": "30.00",
            "currency": "EUR",
        },
    ),
    (
        Transfer,
        TransferRejected(reason="account-frozen"),
        {"transfer_id": "x", "status": "rejected", "reason": "account-frozen"},
    ),
    (
        Transfer,
        debited(reference="secret"),
        {
            "transfer_id": "x",
            "status": "debited",
            "from_account_id": "a",
            "to_account_id": "b",
            "amount": "30.00",
            "currency": "EUR",
        },
    ),
    (
        Transfer,
        TransferRefunded(reason="account-closed"),
        {"transfer_id": "x", "status": "refunded", "reason": "account-closed"},
    ),
    (Transfer, TransferCompleted(), {"transfer_id": "x", "status": "completed"}),
]


async def test_each_event_is_told_under_its_name_with_ids_amounts_and_states_alone(backing: Backing) -> None:
    seen: list[Any] = []

    def told() -> list[Any]:
        return [(one.get_type(), one.get_data()) for one in seen if one.get_subject() == "x"]

    async with running(builder_on(backing).build()) as bank:
        await given_account(bank, deposited("100", "100"))
        await bank.given(BankAccount, "b", opened())
        (await bank.services.get(CloudEventBus)).output.subscribe(seen.append)
        for kind, event, _ in SAMPLES:
            await bank.given(kind, "x", event)

        async def all_are_told() -> bool:
            return all((f"io.{event.event_type}", data) in told() for _, event, data in SAMPLES)

        await eventually(all_are_told)
    assert {one.get_source() for one in seen} == {"/openbank"}
    text = json.dumps([one.get_data() for one in seen])
    assert not [word for word in PERSONAL if word in text]


def test_every_event_that_is_published_has_a_sample_here() -> None:
    events = [kind for kind in classes(import_modules("openbank.domain"), DomainEvent) if "event_type" in vars(kind)]
    published = read_publications(import_modules("openbank.application"), EventCodec(events))
    assert set(published.handlers) == {type(event) for _, event, _ in SAMPLES}


async def test_given_more_debits_than_usual_then_that_is_told_once(bank: RunningService) -> None:
    accounts = ("a", "b")
    await given_account(bank, deposited("100", "100"))
    await bank.given(BankAccount, "b", opened(), deposited("100", "100"))
    seen: list[Any] = []
    (await bank.services.get(CloudEventBus)).output.subscribe(
        lambda event: seen.append(event) if "unusual" in event.get_type() else None
    )

    for account in accounts:
        for left in range(8):
            await bank.given(BankAccount, account, withdrawn("1", str(99 - left)))

    async def told_of_the_last() -> bool:  # what else there was to tell of the first came before
        return any(event.get_subject() == accounts[-1] for event in seen)

    await eventually(told_of_the_last)
    assert [(one.get_type(), one.get_subject(), one.get_data()) for one in seen] == [
        ("io.openbank.unusual-activity.v1", account, {"account_id": account, "debits": 6, "window_seconds": 60.0})
        for account in accounts
    ]


async def inbox_is_done(bank: RunningService) -> bool:
    """Whether all that came from outside was handled."""
    items = WorkItems(await bank.services.get(DocumentStore), "inbox")
    return [state for state in WorkState if await items.page(state)] == [WorkState.DONE]


@pytest.mark.parametrize("times", [1, 2, 5])
async def test_given_interest_that_is_due_then_it_is_credited_once(bank: RunningService, times: int) -> None:
    await given_account(bank)
    due = {
        "specversion": "1.0", "id": "i-1", "source": "/interest", "type": "io.openbank.interest-due.v1",
        "data": {"account_id": "a", "amount": "12.50"},
    }  # fmt: skip
    headers = {"content-type": "application/cloudevents+json"}

    for _ in range(2):  # the second time, all is done already
        for _ in range(times):
            (await bank.when("POST", "/api/v1/cloudevents", json=due, headers=headers)).then(202)
        await eventually(lambda: inbox_is_done(bank))
        await bank.settle()

        page = (await bank.when("GET", "/api/v1/accounts/a/transactions")).then(200).body
        assert [(line["type"], line["amount"]) for line in page["items"]] == [("interest", "12.50")]
        (await bank.when("GET", "/api/v1/accounts/a")).then(200, {"balance": "12.50"})


async def test_given_interest_of_an_account_that_nobody_knows_then_it_is_parked_and_can_be_left_out(
    bank: RunningService,
) -> None:
    due = {
        "specversion": "1.0", "id": "i-1", "source": "/interest", "type": "io.openbank.interest-due.v1",
        "data": {"account_id": "a", "amount": "12.50"},
    }  # fmt: skip
    headers = {"content-type": "application/cloudevents+json"}
    jobs = "/api/v1/operations/jobs"

    async def rows(state: WorkState) -> list[str]:
        queue = {"queue": "inbox", "state": state.value}
        page = (await bank.when("GET", jobs, params=queue)).then(200).body
        return [item["id"] for item in page["items"]]

    async def parked() -> bool:
        return len(await rows(WorkState.PARKED)) == 1

    (await bank.when("POST", "/api/v1/cloudevents", json=due, headers=headers)).then(202)
    await eventually(parked)
    (id,) = await rows(WorkState.PARKED)

    (await bank.when("POST", f"{jobs}/{id}/cancel")).then(202, {"state": "discarded"})
    (await bank.when("POST", f"{jobs}/{id}/cancel")).then_refused(409, "not-cancellable")
    (await bank.when("POST", "/api/v1/cloudevents", json=due, headers=headers)).then(202)  # it is known
    assert (await rows(WorkState.PARKED), await rows(WorkState.DISCARDED)) == ([], [id])

    await given_account(bank)
    (await bank.when("POST", f"{jobs}/{id}/retry")).then(202)
    await eventually(lambda: inbox_is_done(bank))
    await bank.settle()
    (await bank.when("GET", "/api/v1/accounts/a")).then(200, {"balance": "12.50"})


@pytest.mark.parametrize(
    "amount", ["0", "0.00", "-1", "1.234", "1e3", "NaN", "Infinity", "1000000000000", "", " 1", "1\n", 5, 5.0, None]
)
async def test_given_interest_of_no_amount_then_it_is_refused(bank: RunningService, amount: object) -> None:
    due = {
        "specversion": "1.0", "id": "i-1", "source": "/interest", "type": "io.openbank.interest-due.v1",
        "data": {"account_id": "a", "amount": amount},
    }  # fmt: skip
    headers = {"content-type": "application/cloudevents+json"}

    answer = await bank.when("POST", "/api/v1/cloudevents", json=due, headers=headers)

    answer.then_refused(422, "invalid-request")
    assert [error["pointer"] for error in answer.body["errors"]] == ["/data/amount"]
