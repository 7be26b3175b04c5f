"""Transfers over HTTP."""

import pytest

from neuroglia.testing import Answer, RunningService
from openbank.domain.events.accounts import AccountClosed
from openbank.domain.events.transfers import TransferRequested
from tests.openbank.builders import CLOSED, FROZEN, all_pages, deposited, new_account
from tests.support.hostile import HOSTILE

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]
FIELDS = {
    "id", "status", "from_account_id", "to_account_id", "amount", "currency", "reason", "requested_at", "updated_at",
}  # fmt: skip
IN_TIME = {"Prefer": "wait=10"}


async def transfer(
    bank: RunningService, sender: str, receiver: str, amount: str = "30.00", prefer: str | None = "wait=10"
) -> Answer:
    body = {"from_account_id": sender, "to_account_id": receiver, "amount": amount, "reference": "rent"}
    return await bank.when("POST", "/api/v1/transfers", json=body, headers={"Prefer": prefer} if prefer else {})


async def balance(bank: RunningService, account: str) -> str:
    body = (await bank.when("GET", f"/api/v1/accounts/{account}")).then(200).body
    return str(body["balance"])


async def lines(bank: RunningService, account: str) -> list[tuple[str, str, str, str | None]]:
    """The transfer lines of a statement, newest first."""
    items = (await bank.when("GET", f"/api/v1/accounts/{account}/transactions")).then(200).body["items"]
    return [
        (line["type"], line["amount"], line["balance_after"], line["counterparty_account_id"])
        for line in items
        if line["transfer_id"]
    ]


async def test_given_money_when_transferring_then_it_is_accepted_goes_its_way_and_can_be_followed(
    shared_bank: RunningService,
) -> None:
    sender, receiver = await new_account(shared_bank, deposited("100", "100")), await new_account(shared_bank)

    answer = await transfer(shared_bank, sender, receiver, prefer=None)

    answer.then(202, {"status": "requested", "amount": "30.00", "currency": "EUR", "reason": None})
    assert set(answer.body) == FIELDS
    assert "preference-applied" not in answer.response.headers
    assert answer.response.headers["location"] == f"/api/v1/transfers/{answer.body['id']}"
    (await shared_bank.when("GET", answer.response.headers["location"])).then(200, {"status": "completed"})
    assert (await balance(shared_bank, sender), await balance(shared_bank, receiver)) == ("70.00", "30.00")
    assert await lines(shared_bank, sender) == [("transfer_out", "30.00", "70.00", receiver)]
    assert await lines(shared_bank, receiver) == [("transfer_in", "30.00", "30.00", sender)]


async def test_given_a_caller_who_waits_when_it_is_final_in_time_then_200_says_so(shared_bank: RunningService) -> None:
    sender, receiver = await new_account(shared_bank, deposited("100", "100")), await new_account(shared_bank)

    answer = await transfer(shared_bank, sender, receiver, prefer="respond-async, wait=10")

    answer.then(200, {"status": "completed"})
    assert answer.response.headers["preference-applied"] == "wait=10"
    assert answer.response.headers["location"] == f"/api/v1/transfers/{answer.body['id']}"


@pytest.mark.parametrize("prefer", ["", "wait", "wait=", "wait=-1", "wait=x", "wait=0", "wait=1.5", "await=9"])
async def test_given_no_preference_that_one_can_follow_then_it_is_202(shared_bank: RunningService, prefer: str) -> None:
    answer = await transfer(shared_bank, await new_account(shared_bank), "b", prefer=prefer)

    answer.then(202, {"status": "requested"})
    assert "preference-applied" not in answer.response.headers


@pytest.mark.parametrize(
    ("history", "reason"), [((), "insufficient-funds"), ((FROZEN,), "account-frozen"), ((CLOSED,), "account-closed")]
)
async def test_given_a_sender_who_refuses_then_it_is_rejected_and_nothing_moved(
    shared_bank: RunningService, history: tuple[AccountClosed, ...], reason: str
) -> None:
    sender, receiver = await new_account(shared_bank, *history), await new_account(shared_bank)

    (await transfer(shared_bank, sender, receiver)).then(200, {"status": "rejected", "reason": reason})

    assert await lines(shared_bank, sender) == await lines(shared_bank, receiver) == []


async def test_given_an_unknown_sender_then_it_is_rejected(shared_bank: RunningService) -> None:
    answer = await transfer(shared_bank, "nobody", await new_account(shared_bank))

    answer.then(200, {"status": "rejected", "reason": "not-found", "from_account_id": "nobody"})


@pytest.mark.parametrize(("receiver", "reason"), [("nobody", "not-found"), (CLOSED, "account-closed")])
async def test_given_a_receiver_who_refuses_then_the_sender_has_the_money_back(
    shared_bank: RunningService, receiver: str | AccountClosed, reason: str
) -> None:
    sender = await new_account(shared_bank, deposited("100", "100"))
    to = receiver if isinstance(receiver, str) else await new_account(shared_bank, receiver)

    (await transfer(shared_bank, sender, to)).then(200, {"status": "refunded", "reason": reason})

    assert await balance(shared_bank, sender) == "100.00"
    assert await lines(shared_bank, sender) == [
        ("refund", "30.00", "100.00", to), ("transfer_out", "30.00", "70.00", to)
    ]  # fmt: skip


async def test_given_another_currency_then_the_sender_has_the_money_back(shared_bank: RunningService) -> None:
    sender = await new_account(shared_bank, deposited("100", "100"))
    person = (await shared_bank.when("GET", f"/api/v1/accounts/{sender}")).body["owner_id"]
    dollars = await shared_bank.when("POST", "/api/v1/accounts", json={"owner_id": person, "currency": "USD"})

    answer = await transfer(shared_bank, sender, dollars.then(201).body["id"])

    answer.then(200, {"status": "refunded", "reason": "currency-mismatch", "currency": "EUR"})


async def test_given_a_frozen_receiver_then_it_takes_the_money(shared_bank: RunningService) -> None:
    sender, receiver = await new_account(shared_bank, deposited("100", "100")), await new_account(shared_bank, FROZEN)

    (await transfer(shared_bank, sender, receiver)).then(200, {"status": "completed"})


async def test_given_an_overdraft_then_a_transfer_may_use_it(shared_bank: RunningService) -> None:
    sender, receiver = await new_account(shared_bank, overdraft="30"), await new_account(shared_bank)

    (await transfer(shared_bank, sender, receiver)).then(200, {"status": "completed"})
    assert await balance(shared_bank, sender) == "-30.00"


async def test_given_one_account_twice_when_transferring_then_it_is_422(shared_bank: RunningService) -> None:
    account = await new_account(shared_bank, deposited("100", "100"))

    (await transfer(shared_bank, account, account)).then_refused(422, "same-account")


@pytest.mark.parametrize("amount", ["0", "0.00", "-1", "1.001", "NaN", "Infinity", "1e2", "1000000000000", "", "x", 30])
async def test_given_no_amount_when_transferring_then_it_is_422(shared_bank: RunningService, amount: str) -> None:
    (await transfer(shared_bank, "a", "b", amount)).then_refused(422, "invalid-request")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_given_hostile_ids_when_transferring_then_it_is_rejected_or_refused_and_nothing_moved(
    shared_bank: RunningService, text: str
) -> None:
    receiver = await new_account(shared_bank)

    answer = await transfer(shared_bank, text, receiver)

    assert answer.response.status_code in {200, 422}, answer.response.text
    if answer.response.status_code == 200:
        answer.then(200, {"status": "rejected", "reason": "not-found"})
    assert await lines(shared_bank, receiver) == []


async def test_given_transfers_when_listing_then_they_are_found_by_account_and_state(
    shared_bank: RunningService,
) -> None:
    ada, bob = await new_account(shared_bank, deposited("100", "100")), await new_account(shared_bank)
    done = [(await transfer(shared_bank, ada, bob, amount)).then(200).body for amount in ("1.00", "2.00", "3.00")]
    refused = (await transfer(shared_bank, ada, bob, "999.00")).then(200, {"status": "rejected"}).body

    async def listed(**parameters: str) -> list[dict[str, object]]:
        pages = await all_pages(shared_bank, "/api/v1/transfers", limit=2, **parameters)
        return [item for page in pages for item in page]

    assert await listed(account_id=ada) == [*done, refused] == await listed(account_id=bob)
    assert await listed(account_id=ada, status="completed") == done
    assert await listed(account_id=bob, status="rejected") == [refused]
    assert await listed(account_id=ada, status="requested") == []
    assert [one for one in await listed() if ada in one.values()] == [*done, refused]
    assert refused in await listed(status="rejected")


async def test_given_a_state_that_there_is_not_when_listing_then_it_is_422(shared_bank: RunningService) -> None:
    (await shared_bank.when("GET", "/api/v1/transfers?status=lost")).then_refused(422, "invalid-request")


async def test_given_none_when_showing_then_it_is_404(shared_bank: RunningService) -> None:
    (await shared_bank.when("GET", "/api/v1/transfers/none")).then_refused(404, "not-found")


async def test_what_a_transfer_causes_tells_its_cause(shared_bank: RunningService) -> None:
    sender, receiver = await new_account(shared_bank, deposited("100", "100")), await new_account(shared_bank)

    answer = await transfer(shared_bank, sender, receiver)

    correlation = answer.response.headers["x-correlation-id"]
    trail = (await shared_bank.when("GET", f"/api/v1/accounts/{sender}/events")).body["items"]
    assert trail[-1]["correlation_id"] == correlation
    assert trail[-1]["actor"] == "system:TransferProcess"
    assert trail[-1]["causation_id"] is not None
    assert isinstance(answer.events[0], TransferRequested)
