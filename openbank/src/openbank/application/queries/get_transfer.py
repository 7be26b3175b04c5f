"""One transfer."""

from dataclasses import dataclass

from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Query, QueryHandler
from openbank.domain.models.transfer import Transfer
from openbank.integration.models.transfers import TransferDto


@dataclass(frozen=True, slots=True)
class GetTransfer(Query[TransferDto]):
    """One transfer as it is now."""

    transfer_id: str


class GetTransferHandler(QueryHandler[GetTransfer, TransferDto]):
    """Asks the events themselves: they are few, and who has requested a transfer follows it from the first moment."""

    def __init__(self, transfers: Repository[Transfer], mapper: Mapper) -> None:
        self.transfers = transfers
        self.mapper = mapper

    async def handle(self, query: GetTransfer) -> TransferDto:
        return self.mapper.map(await self.transfers.get(query.transfer_id), TransferDto)
