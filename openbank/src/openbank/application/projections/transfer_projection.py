"""Transfers, as they are listed."""

from neuroglia.documents import Documents
from neuroglia.domain import Envelope
from neuroglia.event_sourcing import Projection, on
from neuroglia.mapping import Mapper
from openbank.domain.events.transfers import (
    TransferCompleted,
    TransferDebited,
    TransferRefunded,
    TransferRejected,
    TransferRequested,
)
from openbank.integration.models.transfers import AccountTransfer, TransferDto, TransferStatus


class TransferProjection(Projection):
    """Keeps each transfer three times: for the list of all, and for the lists of its two accounts."""

    def __init__(
        self, transfers: Documents[TransferDto], by_account: Documents[AccountTransfer], mapper: Mapper
    ) -> None:
        self.transfers = transfers
        self.by_account = by_account
        self.mapper = mapper

    @on
    async def requested(self, event: TransferRequested, envelope: Envelope) -> None:
        transfer = self.mapper.map(envelope, TransferDto)
        await self.transfers.save(transfer)
        for account_id in (event.from_account_id, event.to_account_id):
            row = AccountTransfer(**dict(transfer), key=_key(account_id, transfer.id), account_id=account_id)
            await self.by_account.save(row)

    @on
    async def debited(self, event: TransferDebited, envelope: Envelope) -> None:
        await self._update(envelope, TransferStatus.DEBITED)

    @on
    async def completed(self, event: TransferCompleted, envelope: Envelope) -> None:
        await self._update(envelope, TransferStatus.COMPLETED)

    @on
    async def rejected(self, event: TransferRejected, envelope: Envelope) -> None:
        await self._update(envelope, TransferStatus.REJECTED, event.reason)

    @on
    async def refunded(self, event: TransferRefunded, envelope: Envelope) -> None:
        await self._update(envelope, TransferStatus.REFUNDED, event.reason)

    async def _update(self, envelope: Envelope, status: TransferStatus, reason: str | None = None) -> None:
        transfer = await self.transfers.get(envelope.aggregate_id)
        rows = [
            await self.by_account.get(_key(account_id, transfer.id))
            for account_id in (transfer.from_account_id, transfer.to_account_id)
        ]
        for shown in (transfer, *rows):
            shown.status, shown.reason, shown.updated_at = status, reason, envelope.recorded_at
        await self.transfers.save(transfer)
        for row in rows:
            await self.by_account.save(row)


def _key(account_id: str, transfer_id: str) -> str:
    return f"{account_id}/{transfer_id}"
