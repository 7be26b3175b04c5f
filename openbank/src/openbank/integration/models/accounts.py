"""What is shown of an account."""

from datetime import datetime
from decimal import Decimal

from pydantic import BaseModel

from neuroglia.documents import document
from openbank.domain.models.bank_account import AccountStatus as AccountStatus
from openbank.domain.models.money import Currency as Currency


@document("accounts", indexes=["opened_at", ("owner_id", "opened_at")])
class AccountDto(BaseModel):
    """An account as it stands. `available` is the balance and the overdraft limit together."""

    id: str
    owner_id: str
    owner_name: str
    currency: Currency
    balance: Decimal
    available: Decimal
    overdraft_limit: Decimal
    status: AccountStatus
    opened_at: datetime
    version: int
