"""What is shown of a movement of money."""

from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel

from neuroglia.documents import document
from openbank.domain.events.accounts import TransactionType as TransactionType
from openbank.domain.models.money import Currency


@document(
    "transactions",
    indexes=[("account_id", "recorded_at", "revision"), ("account_id", "type", "recorded_at", "revision")],
)
class TransactionDto(BaseModel):
    """One line of a statement. `revision` is its place among the account's events."""

    id: str
    account_id: str
    type: TransactionType
    amount: Decimal
    currency: Currency
    balance_after: Decimal
    reference: str
    counterparty_account_id: str | None = None
    transfer_id: str | None = None
    recorded_at: datetime
    revision: int
