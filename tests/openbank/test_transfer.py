"""The transfer's rules: what may follow in each of its states, and what contradicts them."""

from collections.abc import Callable

import pytest

from neuroglia.domain import DomainEvent
from neuroglia.testing import given
from openbank.domain import errors
from openbank.domain.events.transfers import TransferCompleted, TransferRefunded, TransferRejected
from openbank.domain.models.transfer import Transfer, TransferStatus
from tests.openbank.builders import debited, eur, requested

Decision = Callable[[Transfer], object]
REJECTED = TransferRejected(reason="account-frozen")
REFUNDED = TransferRefunded(reason="account-closed")
COMPLETED = TransferCompleted()
HISTORIES: dict[TransferStatus, list[DomainEvent]] = {
    TransferStatus.REQUESTED: [requested()],
    TransferStatus.DEBITED: [requested(), debited()],
    TransferStatus.COMPLETED: [requested(), debited(), COMPLETED],
    TransferStatus.REJECTED: [requested(), REJECTED],
    TransferStatus.REFUNDED: [requested(), debited(), REFUNDED],
}
DECISIONS: dict[str, Decision] = {
    "record_debit": Transfer.record_debit,
    "reject": lambda transfer: transfer.reject("account-frozen"),
    "complete": Transfer.complete,
    "record_refund": lambda transfer: transfer.record_refund("account-closed"),
}
NOTHING: list[DomainEvent] = []
OUTCOMES: dict[str, dict[TransferStatus, list[DomainEvent] | None]] = {  # None: refused
    "record_debit": dict(zip(TransferStatus, [[debited()], NOTHING, NOTHING, None, NOTHING], strict=True)),
    "reject": dict(zip(TransferStatus, [[REJECTED], None, None, NOTHING, None], strict=True)),
    "complete": dict(zip(TransferStatus, [None, [COMPLETED], NOTHING, None, None], strict=True)),
    "record_refund": dict(zip(TransferStatus, [None, [REFUNDED], None, None, NOTHING], strict=True)),
}


@pytest.mark.parametrize("status", TransferStatus)
@pytest.mark.parametrize("decision", DECISIONS)
def test_given_a_state_when_told_what_an_account_answered_then_it_follows_or_contradicts(
    decision: str, status: TransferStatus
) -> None:
    outcome = given(Transfer, *HISTORIES[status]).when(DECISIONS[decision])

    expected = OUTCOMES[decision][status]
    if expected is None:
        outcome.then_refused(errors.TransferAlready)
    else:
        outcome.then(*expected)


def test_given_two_accounts_when_requesting_then_it_is_requested() -> None:
    given(Transfer).when(lambda _: Transfer.request("t", "a", "b", eur("30"), "rent")).then(requested())


def test_given_one_account_twice_when_requesting_then_it_is_refused() -> None:
    given(Transfer).when(lambda _: Transfer.request("t", "a", "a", eur("30"), "")).then_refused(errors.SameAccount)


@pytest.mark.parametrize("amount", ["0", "-0.01", "1000000000000"])
def test_given_no_amount_to_move_when_requesting_then_it_is_refused(amount: str) -> None:
    given(Transfer).when(lambda _: Transfer.request("t", "a", "b", eur(amount), "")).then_refused(errors.InvalidAmount)


@pytest.mark.parametrize("status", TransferStatus)
def test_what_is_final(status: TransferStatus) -> None:
    refused = [name for name in DECISIONS if OUTCOMES[name][status] is None]

    assert status.is_final == all(not OUTCOMES[name][status] for name in DECISIONS), refused
