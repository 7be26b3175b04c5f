"""Accounts, in the order of their opening."""

from dataclasses import dataclass

from neuroglia.core import Page
from neuroglia.documents import Documents, eq
from neuroglia.event_sourcing import reads
from neuroglia.mediation import Query, QueryHandler
from openbank.application.projections.account_projection import AccountProjection
from openbank.integration.models.accounts import AccountDto


@dataclass(frozen=True, slots=True)
class ListAccounts(Query[Page[AccountDto]]):
    """A page of all accounts, or of one owner's."""

    owner_id: str | None
    limit: int
    cursor: str | None


@reads(AccountProjection)
class ListAccountsHandler(QueryHandler[ListAccounts, Page[AccountDto]]):
    def __init__(self, accounts: Documents[AccountDto]) -> None:
        self.accounts = accounts

    async def handle(self, query: ListAccounts) -> Page[AccountDto]:
        where = [] if query.owner_id is None else [eq("owner_id", query.owner_id)]
        return await self.accounts.find(*where, order="opened_at", limit=query.limit, cursor=query.cursor)
