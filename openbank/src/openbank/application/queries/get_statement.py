"""An account's statement."""

from dataclasses import dataclass
from datetime import datetime

from neuroglia.core import Page
from neuroglia.documents import Documents, eq, ge, lt
from neuroglia.domain import Repository
from neuroglia.event_sourcing import reads
from neuroglia.mediation import Query, QueryHandler
from openbank.application.projections.statement_projection import StatementProjection
from openbank.domain.events.accounts import TransactionType
from openbank.domain.models.bank_account import BankAccount
from openbank.integration.models.transactions import TransactionDto


@dataclass(frozen=True, slots=True)
class GetStatement(Query[Page[TransactionDto]]):
    """A page of an account's movements, newest first: of one type, recorded from (inclusive) and to (exclusive)."""

    account_id: str
    type: TransactionType | None
    from_: datetime | None
    to: datetime | None
    limit: int
    cursor: str | None


@reads(StatementProjection)
class GetStatementHandler(QueryHandler[GetStatement, Page[TransactionDto]]):
    def __init__(self, transactions: Documents[TransactionDto], accounts: Repository[BankAccount]) -> None:
        self.transactions = transactions
        self.accounts = accounts

    async def handle(self, query: GetStatement) -> Page[TransactionDto]:
        where = [eq("account_id", query.account_id)]
        if query.type is not None:
            where.append(eq("type", query.type))
        if query.from_ is not None:
            where.append(ge("recorded_at", query.from_))
        if query.to is not None:
            where.append(lt("recorded_at", query.to))
        page = await self.transactions.find(
            *where, order=("-recorded_at", "-revision"), limit=query.limit, cursor=query.cursor
        )
        if not page.items:
            await self.accounts.get(query.account_id)  # no movements, or no such account: NotFoundError
        return page
