"""One account, as it is or as it was."""

from dataclasses import dataclass
from datetime import datetime

from neuroglia.documents import Documents
from neuroglia.domain import History
from neuroglia.event_sourcing import reads
from neuroglia.mediation import Query, QueryHandler
from openbank.application.presenter import AccountPresenter
from openbank.application.projections.account_projection import AccountProjection
from openbank.domain.models.bank_account import BankAccount
from openbank.integration.models.accounts import AccountDto


@dataclass(frozen=True, slots=True)
class GetAccount(Query[AccountDto]):
    """One account: from the read model, or, `as_of` a moment, from its events up to then."""

    account_id: str
    as_of: datetime | None


@reads(AccountProjection)
class GetAccountHandler(QueryHandler[GetAccount, AccountDto]):
    def __init__(
        self, accounts: Documents[AccountDto], history: History[BankAccount], presenter: AccountPresenter
    ) -> None:
        self.accounts = accounts
        self.history = history
        self.presenter = presenter

    async def handle(self, query: GetAccount) -> AccountDto:
        if query.as_of is None:
            return await self.accounts.get(query.account_id)
        return await self.presenter.show(await self.history.as_of(query.account_id, query.as_of))
