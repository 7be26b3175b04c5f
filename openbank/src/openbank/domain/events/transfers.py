"""What can happen to a transfer."""

from dataclasses import dataclass

from neuroglia.domain import DomainEvent, event
from openbank.domain.models.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferAgreed(DomainEvent):
    """Common to the events from which a transfer goes on: all that its next step needs to know."""

    from_account_id: str
    to_account_id: str
    amount: Money
    reference: str


@event("openbank.transfer-requested.v1")
class TransferRequested(TransferAgreed):
    """Somebody wants money to be moved."""


@event("openbank.transfer-debited.v1")
class TransferDebited(TransferAgreed):
    """The money has left the sender's account."""


@event("openbank.transfer-completed.v1")
class TransferCompleted(DomainEvent):
    """The money has arrived."""


@event("openbank.transfer-rejected.v1")
class TransferRejected(DomainEvent):
    """The sender's account refused. `reason` is the code of the refusal."""

    reason: str


@event("openbank.transfer-refunded.v1")
class TransferRefunded(DomainEvent):
    """The receiver's account refused, and the sender has the money back. `reason` is the code of the refusal."""

    reason: str
