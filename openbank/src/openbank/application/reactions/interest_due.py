"""Interest that is due."""

from decimal import Decimal

from neuroglia.cloud_events import CloudEventHandler
from neuroglia.mediation import Mediator
from openbank.application.commands.credit_interest import CreditInterest
from openbank.integration.models.interest import InterestDue


class InterestDueHandler(CloudEventHandler[InterestDue]):
    """Credits it, once, however often the event is delivered."""

    def __init__(self, mediator: Mediator) -> None:
        self.mediator = mediator

    async def handle(self, event: InterestDue) -> None:
        await self.mediator.execute(CreditInterest(event.account_id, Decimal(event.amount), "Interest"))
