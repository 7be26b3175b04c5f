"""The account: holds money, and decides whether it may move."""

from decimal import Decimal
from enum import StrEnum
from typing import Final

from neuroglia.domain import AggregateRoot, DomainEvent, transitions, when
from openbank.domain import errors
from openbank.domain.events.accounts import (
    AccountClosed,
    AccountFrozen,
    AccountOpened,
    AccountUnfrozen,
    Leg,
    MoneyDeposited,
    MoneyWithdrawn,
    TransactionType,
)
from openbank.domain.models.money import Money


class AccountStatus(StrEnum):
    """Where an account is in its life: open ⇄ frozen, open → closed."""

    OPEN = "open"
    FROZEN = "frozen"
    CLOSED = "closed"


_S: Final = AccountStatus
_LIFE: Final = transitions(
    ([_S.OPEN], MoneyDeposited, _S.OPEN),
    ([_S.FROZEN], MoneyDeposited, _S.FROZEN),
    ([_S.OPEN], MoneyWithdrawn, _S.OPEN),
    ([_S.OPEN], AccountFrozen, _S.FROZEN),
    ([_S.FROZEN], AccountUnfrozen, _S.OPEN),
    ([_S.OPEN], AccountClosed, _S.CLOSED),
)
"""What may happen to an account, and where that leads. (But a refund comes in, whatever its state is.)"""
_REFUSAL: Final = {_S.OPEN: errors.AccountNotFrozen, _S.FROZEN: errors.AccountFrozen, _S.CLOSED: errors.AccountClosed}
"""What everything else is answered with."""


class BankAccount(AggregateRoot, stream="bank_account", snapshot_every=100):
    """An account in one currency. Its balance never falls below minus the overdraft limit."""

    owner_id: str
    status: AccountStatus
    balance: Money
    overdraft_limit: Money

    @classmethod
    def open(cls, id: str, owner_id: str, overdraft_limit: Money) -> "BankAccount":
        """Opens an account in the currency of its overdraft limit."""
        if overdraft_limit < Money.zero(overdraft_limit.currency):
            raise errors.InvalidAmount
        account = cls(id)
        account.apply(AccountOpened(owner_id=owner_id, overdraft_limit=overdraft_limit))
        return account

    @property
    def available(self) -> Money:
        """What can be withdrawn at most."""
        return self.balance + self.overdraft_limit

    def money(self, amount: Decimal) -> Money:
        """An amount in this account's currency."""
        return Money(amount, self.balance.currency)

    def deposit(self, amount: Money, reference: str) -> MoneyDeposited:
        """Pays in. A frozen account takes credits, a closed one does not."""
        return self._credit(TransactionType.DEPOSIT, amount, reference)

    def withdraw(self, amount: Money, reference: str) -> MoneyWithdrawn:
        """Pays out, if there is enough."""
        return self._debit(TransactionType.WITHDRAWAL, amount, reference)

    def credit_interest(self, amount: Money, reference: str) -> MoneyDeposited:
        """Pays the interest that is due."""
        return self._credit(TransactionType.INTEREST, amount, reference)

    def send(self, amount: Money, reference: str, leg: Leg) -> MoneyWithdrawn:
        """The first half of a transfer: pays out, if there is enough."""
        return self._debit(TransactionType.TRANSFER_OUT, amount, reference, leg)

    def receive(self, amount: Money, reference: str, leg: Leg) -> MoneyDeposited:
        """The second half of a transfer."""
        return self._credit(TransactionType.TRANSFER_IN, amount, reference, leg)

    def take_back(self, amount: Money, reference: str, leg: Leg) -> MoneyDeposited:
        """Undoes `send`: the money is ours whatever happened since, even if the account was closed."""
        return self._credit(TransactionType.REFUND, amount, reference, leg)

    def freeze(self, reason: str | None) -> None:
        """Stops debits."""
        self._ensure_may(AccountFrozen)
        self.apply(AccountFrozen(reason=reason))

    def unfreeze(self, reason: str | None) -> None:
        """Lets debits through again."""
        self._ensure_may(AccountUnfrozen)
        self.apply(AccountUnfrozen(reason=reason))

    def close(self, reason: str | None) -> None:
        """Ends the account, which must be empty and not frozen."""
        self._ensure_may(AccountClosed)
        if self.balance.amount != 0:
            raise errors.BalanceNotZero(self.balance)
        self.apply(AccountClosed(reason=reason))

    def _credit(self, type: TransactionType, amount: Money, reference: str, leg: Leg | None = None) -> MoneyDeposited:
        if type is not TransactionType.REFUND:
            self._ensure_may(MoneyDeposited)
        amount.require_positive()
        after = self.balance + amount
        return self.apply(MoneyDeposited(type=type, amount=amount, balance_after=after, reference=reference, leg=leg))

    def _debit(self, type: TransactionType, amount: Money, reference: str, leg: Leg | None = None) -> MoneyWithdrawn:
        self._ensure_may(MoneyWithdrawn)
        amount.require_positive()
        if amount > self.available:
            raise errors.InsufficientFunds(available=self.available, requested=amount)
        after = self.balance - amount
        return self.apply(MoneyWithdrawn(type=type, amount=amount, balance_after=after, reference=reference, leg=leg))

    def _ensure_may(self, event: type[DomainEvent]) -> None:
        """That it may happen now."""
        if (self.status, event) not in _LIFE:
            raise _REFUSAL[self.status]

    @when
    def _opened(self, event: AccountOpened) -> None:
        self.owner_id = event.owner_id
        self.status = AccountStatus.OPEN
        self.overdraft_limit = event.overdraft_limit
        self.balance = Money.zero(event.overdraft_limit.currency)

    @when
    def _deposited(self, event: MoneyDeposited) -> None:
        self.balance = event.balance_after

    @when
    def _withdrawn(self, event: MoneyWithdrawn) -> None:
        self.balance = event.balance_after

    @when
    def _frozen(self, event: AccountFrozen) -> None:
        self.status = AccountStatus.FROZEN

    @when
    def _unfrozen(self, event: AccountUnfrozen) -> None:
        self.status = AccountStatus.OPEN

    @when
    def _closed(self, event: AccountClosed) -> None:
        self.status = AccountStatus.CLOSED
