"""Transfers that are not final."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from neuroglia.documents import Documents, eq, lt
from neuroglia.mediation import Query, QueryHandler
from openbank.integration.models.transfers import TransferDto, TransferStatus

_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class UnfinishedTransfers(Query[Sequence[str]]):
    """The ids of transfers that are on their way, and at which nothing has happened since `before`: those of each state
    that have stood still for the longest time. Who asks again later finds others."""

    before: datetime


class UnfinishedTransfersHandler(QueryHandler[UnfinishedTransfers, Sequence[str]]):
    def __init__(self, transfers: Documents[TransferDto]) -> None:
        self.transfers = transfers

    async def handle(self, query: UnfinishedTransfers) -> Sequence[str]:
        ids: list[str] = []
        for status in (status for status in TransferStatus if not status.is_final):
            where = eq("status", status), lt("updated_at", query.before)
            page = await self.transfers.find(*where, order="updated_at", limit=_AT_ONCE)
            ids += [transfer.id for transfer in page.items]
        return ids
