"""One account."""

from dataclasses import dataclass

from neuroglia.documents import Documents
from neuroglia.event_sourcing import reads
from neuroglia.mediation import Query, QueryHandler
from openbank.application.projections.account_projection import AccountProjection
from openbank.integration.models.accounts import AccountDto


@dataclass(frozen=True, slots=True)
class GetAccount(Query[AccountDto]):
    """One account."""

    account_id: str


@reads(AccountProjection)
class GetAccountHandler(QueryHandler[GetAccount, AccountDto]):
    def __init__(self, accounts: Documents[AccountDto]) -> None:
        self.accounts = accounts

    async def handle(self, query: GetAccount) -> AccountDto:
        return await self.accounts.get(query.account_id)
