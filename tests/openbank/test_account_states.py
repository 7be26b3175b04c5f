"""Freezing, unfreezing and closing over HTTP."""

import pytest

from neuroglia.domain import DomainEvent
from neuroglia.testing import RunningService
from openbank.domain.events.accounts import AccountClosed, AccountFrozen, AccountUnfrozen
from tests.openbank.builders import CLOSED, FROZEN, UNFROZEN, deposited, head, new_account, withdrawn

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]
STATES = [
    ((), "freeze", "frozen", AccountFrozen),
    ((FROZEN,), "unfreeze", "open", AccountUnfrozen),
    ((), "close", "closed", AccountClosed),
]


@pytest.mark.parametrize(("history", "verb", "status", "event"), STATES)
async def test_when_the_state_allows_it_then_the_account_is_told_recorded_and_found(
    shared_bank: RunningService,
    history: tuple[DomainEvent, ...],
    verb: str,
    status: str,
    event: type[AccountFrozen | AccountUnfrozen | AccountClosed],
) -> None:
    account = await new_account(shared_bank, *history)

    answer = await shared_bank.when("POST", f"/api/v1/accounts/{account}/{verb}", json={"reason": "so it is"})

    answer.then(
        200,
        {"id": account, "status": status, "owner_name": "Ada Lovelace", "version": len(history) + 1},
        events=[event(reason="so it is")],
    )
    assert answer.response.headers["x-event-position"] == str(await head(shared_bank))
    (await shared_bank.when("GET", f"/api/v1/accounts/{account}")).then(200, answer.body)


@pytest.mark.parametrize(("history", "verb", "status", "event"), STATES)
@pytest.mark.parametrize("body", [{}, {"json": {}}, {"json": {"reason": None}}, {"json": None}])
async def test_a_reason_may_be_left_out(
    shared_bank: RunningService,
    history: tuple[DomainEvent, ...],
    verb: str,
    status: str,
    event: type[AccountFrozen | AccountUnfrozen | AccountClosed],
    body: dict[str, object],
) -> None:
    account = await new_account(shared_bank, *history)

    answer = await shared_bank.when("POST", f"/api/v1/accounts/{account}/{verb}", **body)

    answer.then(200, {"status": status}, events=[event(reason=None)])


@pytest.mark.parametrize(
    ("history", "verb", "code"),
    [
        ((), "unfreeze", "account-not-frozen"),
        ((FROZEN,), "freeze", "account-frozen"),
        ((FROZEN,), "close", "account-frozen"),
        ((FROZEN, UNFROZEN), "unfreeze", "account-not-frozen"),
        ((deposited("1", "1"),), "close", "balance-not-zero"),
        ((withdrawn("1", "-1"),), "close", "balance-not-zero"),
        ((CLOSED,), "freeze", "account-closed"),
        ((CLOSED,), "unfreeze", "account-closed"),
        ((CLOSED,), "close", "account-closed"),
    ],
)
async def test_when_the_state_refuses_it_then_it_is_a_conflict(
    shared_bank: RunningService, history: tuple[DomainEvent, ...], verb: str, code: str
) -> None:
    account = await new_account(shared_bank, *history, overdraft="10")

    (await shared_bank.when("POST", f"/api/v1/accounts/{account}/{verb}", json={})).then_refused(409, code)


@pytest.mark.parametrize("verb", ["freeze", "unfreeze", "close"])
async def test_given_no_account_then_it_is_404(shared_bank: RunningService, verb: str) -> None:
    (await shared_bank.when("POST", f"/api/v1/accounts/none/{verb}")).then_refused(404, "not-found")
