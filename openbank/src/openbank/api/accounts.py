"""`/accounts`."""

from decimal import Decimal
from typing import Annotated

from fastapi import Query

from neuroglia.mvc import DEFAULT_LIMIT, ControllerBase, Cursor, Limit, Moment, Page, get, post
from openbank.api.fields import Id, Limit as OverdraftLimit, Reference, RequestModel
from openbank.application.commands.close_account import CloseAccount
from openbank.application.commands.freeze_account import FreezeAccount
from openbank.application.commands.open_account import OpenAccount
from openbank.application.commands.unfreeze_account import UnfreezeAccount
from openbank.application.queries.get_account import GetAccount
from openbank.application.queries.get_account_events import GetAccountEvents
from openbank.application.queries.get_statement import GetStatement
from openbank.application.queries.list_accounts import ListAccounts
from openbank.integration.models.accounts import AccountDto, Currency
from openbank.integration.models.audit import StoredEventDto
from openbank.integration.models.transactions import TransactionDto, TransactionType


class OpenAccountRequest(RequestModel):
    """Whose account, and in which currency."""

    owner_id: Id
    currency: Currency = Currency.EUR
    overdraft_limit: OverdraftLimit = Decimal("0.00")


class ReasonRequest(RequestModel):
    """Why it is done."""

    reason: Reference | None = None


class AccountsController(ControllerBase):
    @post(status_code=201, location="/{id}", etag="version", scopes=["bank:write"])
    async def open(self, request: OpenAccountRequest) -> AccountDto:
        """Opens an account for a registered person."""
        return await self.mediator.execute(OpenAccount(request.owner_id, request.currency, request.overdraft_limit))

    @get(scopes=["bank:read"])
    async def list(
        self, owner_id: str | None = None, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Page[AccountDto]:
        """Lists accounts in the order of their opening: all, or one owner's."""
        return await self.mediator.execute(ListAccounts(owner_id, limit, cursor))

    @get("/{account_id}", etag="version", scopes=["bank:read"])
    async def show(self, account_id: str, as_of: Moment | None = None) -> AccountDto:
        """Shows an account as it is, or as it was at a moment."""
        return await self.mediator.execute(GetAccount(account_id, as_of))

    @get("/{account_id}/transactions", scopes=["bank:read"])
    async def statement(
        self,
        account_id: str,
        type: TransactionType | None = None,
        from_: Annotated[Moment | None, Query(alias="from", description="Recorded then or later.")] = None,
        to: Annotated[Moment | None, Query(description="Recorded before.")] = None,
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Page[TransactionDto]:
        """Lists an account's movements, newest first."""
        return await self.mediator.execute(GetStatement(account_id, type, from_, to, limit, cursor))

    @get("/{account_id}/events", scopes=["bank:read"])
    async def events(
        self, account_id: str, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Page[StoredEventDto]:
        """Lists all that was ever recorded of an account, oldest first: the audit trail."""
        return await self.mediator.execute(GetAccountEvents(account_id, limit, cursor))

    @post("/{account_id}/freeze", etag="version", scopes=["bank:write"])
    async def freeze(self, account_id: str, request: ReasonRequest | None = None) -> AccountDto:
        """Stops the debits of an account; credits still arrive."""
        return await self.mediator.execute(FreezeAccount(account_id, request.reason if request else None))

    @post("/{account_id}/unfreeze", etag="version", scopes=["bank:write"])
    async def unfreeze(self, account_id: str, request: ReasonRequest | None = None) -> AccountDto:
        """Lets the debits of a frozen account through again."""
        return await self.mediator.execute(UnfreezeAccount(account_id, request.reason if request else None))

    @post("/{account_id}/close", etag="version", scopes=["bank:write"])
    async def close(self, account_id: str, request: ReasonRequest | None = None) -> AccountDto:
        """Closes an account that is empty and not frozen, for ever."""
        return await self.mediator.execute(CloseAccount(account_id, request.reason if request else None))
