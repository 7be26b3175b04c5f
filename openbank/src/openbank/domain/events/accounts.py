"""What can happen to an account."""

from dataclasses import dataclass
from enum import StrEnum

from neuroglia.domain import DomainEvent, event
from openbank.domain.models.money import Money


class TransactionType(StrEnum):
    """Why money moved, seen from one account."""

    DEPOSIT = "deposit"
    WITHDRAWAL = "withdrawal"
    TRANSFER_IN = "transfer_in"
    TRANSFER_OUT = "transfer_out"
    REFUND = "refund"
    INTEREST = "interest"


@event("openbank.account-opened.v1")
class AccountOpened(DomainEvent):
    """An account was opened; its currency is that of the overdraft limit."""

    owner_id: str
    overdraft_limit: Money


@dataclass(frozen=True, slots=True)
class Leg:
    """One account's half of a transfer: which one, and who is at the other end."""

    transfer_id: str
    counterparty_account_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyMoved(DomainEvent):
    """Common to all movements. `balance_after` is stored with the fact, so that a statement needs no arithmetic."""

    type: TransactionType
    amount: Money
    balance_after: Money
    reference: str
    leg: Leg | None = None


@event("openbank.money-deposited.v1")
class MoneyDeposited(MoneyMoved):
    """The balance went up."""

    type: TransactionType = TransactionType.DEPOSIT


@event("openbank.money-withdrawn.v1")
class MoneyWithdrawn(MoneyMoved):
    """The balance went down."""

    type: TransactionType = TransactionType.WITHDRAWAL


@event("openbank.account-frozen.v1")
class AccountFrozen(DomainEvent):
    """Debits are refused from now on."""

    reason: str | None


@event("openbank.account-unfrozen.v1")
class AccountUnfrozen(DomainEvent):
    """Debits are possible again."""

    reason: str | None


@event("openbank.account-closed.v1")
class AccountClosed(DomainEvent):
    """The account is at its end."""

    reason: str | None
