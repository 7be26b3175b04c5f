"""What the service that calculates interest tells."""

from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from neuroglia.cloud_events import IntegrationEvent, cloud_event


def _positive(amount: str) -> str:
    if Decimal(amount) == 0:
        raise ValueError("an amount is more than zero")
    return amount


AmountText = Annotated[
    str, StringConstraints(strict=True, pattern=r"^[0-9]{1,12}(\.[0-9]{1,2})?$"), AfterValidator(_positive)
]


@cloud_event("io.openbank.interest-due.v1")
class InterestDue(IntegrationEvent):
    """An account has earned interest, in its own currency: `"12.50"`."""

    account_id: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=64)]
    amount: AmountText
