"""What is shown of a transfer."""

from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel

from neuroglia.documents import document
from openbank.domain.models.money import Currency
from openbank.domain.models.transfer import TransferStatus as TransferStatus


@document("transfers", indexes=["requested_at", ("status", "requested_at"), ("status", "updated_at")])
class TransferDto(BaseModel):
    """A transfer as it stands. `reason` is the code with which an account refused."""

    id: str
    status: TransferStatus
    from_account_id: str
    to_account_id: str
    amount: Decimal
    currency: Currency
    reason: str | None = None
    requested_at: datetime
    updated_at: datetime


@document(
    "account_transfers",
    key="key",
    indexes=[("account_id", "requested_at"), ("account_id", "status", "requested_at")],
)
class AccountTransfer(TransferDto):
    """The same transfer, as one of the two accounts finds it."""

    key: str
    account_id: str
