"""Transfers, in the order in which they were requested."""

from dataclasses import dataclass

from neuroglia.core import Page
from neuroglia.documents import Documents, eq
from neuroglia.event_sourcing import reads
from neuroglia.mediation import Query, QueryHandler
from openbank.application.projections.transfer_projection import TransferProjection
from openbank.integration.models.transfers import AccountTransfer, TransferDto, TransferStatus


@dataclass(frozen=True, slots=True)
class ListTransfers(Query[Page[TransferDto]]):
    """A page of all transfers: those to or from one account, or in one state, or both."""

    account_id: str | None
    status: TransferStatus | None
    limit: int
    cursor: str | None


@reads(TransferProjection)
class ListTransfersHandler(QueryHandler[ListTransfers, Page[TransferDto]]):
    def __init__(self, transfers: Documents[TransferDto], by_account: Documents[AccountTransfer]) -> None:
        self.transfers = transfers
        self.by_account = by_account

    async def handle(self, query: ListTransfers) -> Page[TransferDto]:
        where = [] if query.status is None else [eq("status", query.status)]
        if query.account_id is None:
            return await self.transfers.find(*where, order="requested_at", limit=query.limit, cursor=query.cursor)
        where.insert(0, eq("account_id", query.account_id))
        page = await self.by_account.find(*where, order="requested_at", limit=query.limit, cursor=query.cursor)
        shown = [TransferDto.model_validate(row, from_attributes=True) for row in page.items]
        return Page(items=shown, next_cursor=page.next_cursor)
