"""What the outside is told of the bank's events: ids, amounts and states, and nothing personal."""

from collections.abc import Mapping

from pydantic import JsonValue

from neuroglia.cloud_events import publishes
from neuroglia.domain import Envelope
from openbank.domain.events.accounts import (
    AccountClosed,
    AccountFrozen,
    AccountOpened,
    AccountUnfrozen,
    MoneyDeposited,
    MoneyMoved,
    MoneyWithdrawn,
)
from openbank.domain.events.persons import PersonAddressChanged, PersonRegistered
from openbank.domain.events.transfers import (
    TransferAgreed,
    TransferCompleted,
    TransferDebited,
    TransferRefunded,
    TransferRejected,
    TransferRequested,
)
from openbank.domain.models.bank_account import AccountStatus
from openbank.domain.models.transfer import TransferStatus

Data = Mapping[str, JsonValue]


@publishes("io.openbank.person-registered.v1")
def publish_registered(event: PersonRegistered, envelope: Envelope) -> Data:
    return {"person_id": envelope.aggregate_id}


@publishes("io.openbank.person-address-changed.v1")
def publish_address_changed(event: PersonAddressChanged, envelope: Envelope) -> Data:
    return {"person_id": envelope.aggregate_id}


@publishes("io.openbank.account-opened.v1")
def publish_opened(event: AccountOpened, envelope: Envelope) -> Data:
    limit = event.overdraft_limit
    return {
        **_status(envelope, AccountStatus.OPEN),
        "owner_id": event.owner_id,
        "currency": limit.currency.value,
        "overdraft_limit": str(limit.amount),
    }


@publishes("io.openbank.money-deposited.v1")
def publish_deposited(event: MoneyDeposited, envelope: Envelope) -> Data:
    return _movement(event, envelope)


@publishes("io.openbank.money-withdrawn.v1")
def publish_withdrawn(event: MoneyWithdrawn, envelope: Envelope) -> Data:
    return _movement(event, envelope)


@publishes("io.openbank.account-frozen.v1")
def publish_frozen(event: AccountFrozen, envelope: Envelope) -> Data:
    return _status(envelope, AccountStatus.FROZEN)


@publishes("io.openbank.account-unfrozen.v1")
def publish_unfrozen(event: AccountUnfrozen, envelope: Envelope) -> Data:
    return _status(envelope, AccountStatus.OPEN)


@publishes("io.openbank.account-closed.v1")
def publish_closed(event: AccountClosed, envelope: Envelope) -> Data:
    return _status(envelope, AccountStatus.CLOSED)


@publishes("io.openbank.transfer-requested.v1")
def publish_requested(event: TransferRequested, envelope: Envelope) -> Data:
    return _agreed(event, envelope, TransferStatus.REQUESTED)


@publishes("io.openbank.transfer-debited.v1")
def publish_debited(event: TransferDebited, envelope: Envelope) -> Data:
    return _agreed(event, envelope, TransferStatus.DEBITED)


@publishes("io.openbank.transfer-completed.v1")
def publish_completed(event: TransferCompleted, envelope: Envelope) -> Data:
    return {"transfer_id": envelope.aggregate_id, "status": TransferStatus.COMPLETED.value}


@publishes("io.openbank.transfer-rejected.v1")
def publish_rejected(event: TransferRejected, envelope: Envelope) -> Data:
    return {"transfer_id": envelope.aggregate_id, "status": TransferStatus.REJECTED.value, "reason": event.reason}


@publishes("io.openbank.transfer-refunded.v1")
def publish_refunded(event: TransferRefunded, envelope: Envelope) -> Data:
    return {"transfer_id": envelope.aggregate_id, "status": TransferStatus.REFUNDED.value, "reason": event.reason}


def _agreed(event: TransferAgreed, envelope: Envelope, status: TransferStatus) -> Data:
    return {
        "transfer_id": envelope.aggregate_id,
        "status": status.value,
        "from_account_id": event.from_account_id,
        "to_account_id": event.to_account_id,
        "amount": str(event.amount.amount),
        "currency": event.amount.currency.value,
    }


def _status(envelope: Envelope, status: AccountStatus) -> Data:
    return {"account_id": envelope.aggregate_id, "status": status.value}


def _movement(event: MoneyMoved, envelope: Envelope) -> Data:
    """The reference stays inside: people write names into it."""
    return {
        "account_id": envelope.aggregate_id,
        "type": event.type.value,
        "amount": str(event.amount.amount),
        "balance_after": str(event.balance_after.amount),
        "currency": event.amount.currency.value,
        "transfer_id": event.leg.transfer_id if event.leg else None,
    }
