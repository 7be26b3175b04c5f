"""The lines of all statements."""

from neuroglia.documents import Documents
from neuroglia.domain import Envelope
from neuroglia.event_sourcing import Projection, on
from neuroglia.mapping import Mapper
from openbank.domain.events.accounts import MoneyDeposited, MoneyWithdrawn
from openbank.integration.models.transactions import TransactionDto


class StatementProjection(Projection):
    """One document for each movement; it is written once and never changes."""

    def __init__(self, transactions: Documents[TransactionDto], mapper: Mapper) -> None:
        self.transactions = transactions
        self.mapper = mapper

    @on
    async def deposited(self, event: MoneyDeposited, envelope: Envelope) -> None:
        await self.transactions.save(self.mapper.map(envelope, TransactionDto))

    @on
    async def withdrawn(self, event: MoneyWithdrawn, envelope: Envelope) -> None:
        await self.transactions.save(self.mapper.map(envelope, TransactionDto))
