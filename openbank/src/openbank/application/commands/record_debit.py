"""A transfer learns that the money has left."""

from dataclasses import dataclass

from neuroglia.domain import Repository
from neuroglia.mediation import Command, CommandHandler
from openbank.domain.models.transfer import Transfer


@dataclass(frozen=True, slots=True)
class RecordDebit(Command[None]):
    """Notes that the sender's account has paid."""

    transfer_id: str


class RecordDebitHandler(CommandHandler[RecordDebit, None]):
    def __init__(self, transfers: Repository[Transfer]) -> None:
        self.transfers = transfers

    async def handle(self, command: RecordDebit) -> None:
        transfer = await self.transfers.get(command.transfer_id)
        transfer.record_debit()
        await self.transfers.save(transfer)
