"""A transfer learns that the money has arrived."""

from dataclasses import dataclass

from neuroglia.domain import Repository
from neuroglia.mediation import Command, CommandHandler
from openbank.domain.models.transfer import Transfer


@dataclass(frozen=True, slots=True)
class CompleteTransfer(Command[None]):
    """Notes that the receiver's account has the money."""

    transfer_id: str


class CompleteTransferHandler(CommandHandler[CompleteTransfer, None]):
    def __init__(self, transfers: Repository[Transfer]) -> None:
        self.transfers = transfers

    async def handle(self, command: CompleteTransfer) -> None:
        transfer = await self.transfers.get(command.transfer_id)
        transfer.complete()
        await self.transfers.save(transfer)
