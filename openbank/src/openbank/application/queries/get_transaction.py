"""One movement of money."""

from dataclasses import dataclass

from neuroglia.documents import Documents
from neuroglia.event_sourcing import reads
from neuroglia.mediation import Query, QueryHandler
from openbank.application.projections.statement_projection import StatementProjection
from openbank.integration.models.transactions import TransactionDto


@dataclass(frozen=True, slots=True)
class GetTransaction(Query[TransactionDto]):
    """One movement of money."""

    transaction_id: str


@reads(StatementProjection)
class GetTransactionHandler(QueryHandler[GetTransaction, TransactionDto]):
    def __init__(self, transactions: Documents[TransactionDto]) -> None:
        self.transactions = transactions

    async def handle(self, query: GetTransaction) -> TransactionDto:
        return await self.transactions.get(query.transaction_id)
