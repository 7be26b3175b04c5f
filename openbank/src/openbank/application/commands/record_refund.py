"""A transfer learns that the money is back."""

from dataclasses import dataclass

from neuroglia.domain import Repository
from neuroglia.mediation import Command, CommandHandler
from openbank.domain.models.transfer import Transfer


@dataclass(frozen=True, slots=True)
class RecordRefund(Command[None]):
    """Notes that the receiver's account has refused, and that the sender has the money back."""

    transfer_id: str
    reason: str


class RecordRefundHandler(CommandHandler[RecordRefund, None]):
    def __init__(self, transfers: Repository[Transfer]) -> None:
        self.transfers = transfers

    async def handle(self, command: RecordRefund) -> None:
        transfer = await self.transfers.get(command.transfer_id)
        transfer.record_refund(command.reason)
        await self.transfers.save(transfer)
