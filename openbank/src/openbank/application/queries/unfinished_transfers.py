"""Transfers that are not final."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from neuroglia.documents import Documents, eq, lt
from neuroglia.mediation import Query, QueryHandler
from openbank.integration.models.transfers import TransferDto, TransferStatus


@dataclass(frozen=True, slots=True)
class UnfinishedTransfers(Query[Sequence[str]]):
    """The ids of the transfers that are on their way, and at which nothing has happened since `before`."""

    before: datetime


class UnfinishedTransfersHandler(QueryHandler[UnfinishedTransfers, Sequence[str]]):
    def __init__(self, transfers: Documents[TransferDto]) -> None:
        self.transfers = transfers

    async def handle(self, query: UnfinishedTransfers) -> Sequence[str]:
        ids: list[str] = []
        for status in (status for status in TransferStatus if not status.is_final):
            where, cursor = [eq("status", status), lt("updated_at", query.before)], None
            while True:
                page = await self.transfers.find(*where, order="updated_at", limit=200, cursor=cursor)
                ids += [transfer.id for transfer in page.items]
                if (cursor := page.next_cursor) is None:
                    break
        return ids
