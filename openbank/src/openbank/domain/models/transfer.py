"""The transfer: how far money is on its way from one account to another."""

from enum import StrEnum

from neuroglia.domain import AggregateRoot, when
from openbank.domain import errors
from openbank.domain.events.transfers import (
    TransferCompleted,
    TransferDebited,
    TransferRefunded,
    TransferRejected,
    TransferRequested,
)
from openbank.domain.models.money import Money


class TransferStatus(StrEnum):
    """requested → debited → completed or refunded; requested → rejected."""

    REQUESTED = "requested"
    DEBITED = "debited"
    COMPLETED = "completed"
    REJECTED = "rejected"
    REFUNDED = "refunded"

    @property
    def is_final(self) -> bool:
        """Whether nothing follows any more."""
        return self not in {TransferStatus.REQUESTED, TransferStatus.DEBITED}


class Transfer(AggregateRoot, stream="transfer"):
    """The state of one transfer. Its steps may be told twice, and by two processes: what is known already changes
    nothing, and what contradicts it is refused."""

    status: TransferStatus
    from_account_id: str
    to_account_id: str
    amount: Money
    reference: str
    reason: str | None

    @classmethod
    def request(cls, id: str, from_account_id: str, to_account_id: str, amount: Money, reference: str) -> "Transfer":
        """Asks for money to be moved. Whether the accounts exist and agree is found out on the way."""
        if from_account_id == to_account_id:
            raise errors.SameAccount
        amount.require_positive()
        transfer = cls(id)
        transfer.apply(
            TransferRequested(
                from_account_id=from_account_id, to_account_id=to_account_id, amount=amount, reference=reference
            )
        )
        return transfer

    def record_debit(self) -> None:
        """The sender's account has paid."""
        if self.status is TransferStatus.REJECTED:
            raise errors.TransferAlready(self.status)
        if self.status is TransferStatus.REQUESTED:
            self.apply(
                TransferDebited(
                    from_account_id=self.from_account_id,
                    to_account_id=self.to_account_id,
                    amount=self.amount,
                    reference=self.reference,
                )
            )

    def reject(self, reason: str) -> None:
        """The sender's account has refused."""
        if self.status is TransferStatus.REQUESTED:
            self.apply(TransferRejected(reason=reason))
        elif self.status is not TransferStatus.REJECTED:
            raise errors.TransferAlready(self.status)

    def complete(self) -> None:
        """The receiver's account has the money."""
        if self.status is TransferStatus.DEBITED:
            self.apply(TransferCompleted())
        elif self.status is not TransferStatus.COMPLETED:
            raise errors.TransferAlready(self.status)

    def record_refund(self, reason: str) -> None:
        """The sender's account has the money back, because the receiver's refused it."""
        if self.status is TransferStatus.DEBITED:
            self.apply(TransferRefunded(reason=reason))
        elif self.status is not TransferStatus.REFUNDED:
            raise errors.TransferAlready(self.status)

    @when
    def _requested(self, event: TransferRequested) -> None:
        self.status = TransferStatus.REQUESTED
        self.from_account_id = event.from_account_id
        self.to_account_id = event.to_account_id
        self.amount = event.amount
        self.reference = event.reference
        self.reason = None

    @when
    def _debited(self, event: TransferDebited) -> None:
        self.status = TransferStatus.DEBITED

    @when
    def _completed(self, event: TransferCompleted) -> None:
        self.status = TransferStatus.COMPLETED

    @when
    def _rejected(self, event: TransferRejected) -> None:
        self.status, self.reason = TransferStatus.REJECTED, event.reason

    @when
    def _refunded(self, event: TransferRefunded) -> None:
        self.status, self.reason = TransferStatus.REFUNDED, event.reason
