"""A transfer learns that the money stays where it is."""

from dataclasses import dataclass

from neuroglia.domain import Repository
from neuroglia.mediation import Command, CommandHandler
from openbank.domain.models.transfer import Transfer


@dataclass(frozen=True, slots=True)
class RejectTransfer(Command[None]):
    """Notes that the sender's account has refused."""

    transfer_id: str
    reason: str


class RejectTransferHandler(CommandHandler[RejectTransfer, None]):
    def __init__(self, transfers: Repository[Transfer]) -> None:
        self.transfers = transfers

    async def handle(self, command: RejectTransfer) -> None:
        transfer = await self.transfers.get(command.transfer_id)
        transfer.reject(command.reason)
        await self.transfers.save(transfer)
