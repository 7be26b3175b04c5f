"""The body and the answer that all applications share."""

from decimal import Decimal

from pydantic import BaseModel


class MovementRequest(BaseModel):
    account_id: str
    amount: Decimal
    reference: str = ""


class Movement(BaseModel):
    id: str
    account_id: str
    amount: Decimal
    reference: str
