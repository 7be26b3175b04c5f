"""Asking for money to be moved from one account to another."""

from dataclasses import dataclass
from decimal import Decimal

from neuroglia.core import Ids, NotFoundError
from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Command, CommandHandler
from openbank.domain.models.bank_account import BankAccount
from openbank.domain.models.money import Currency, Money
from openbank.domain.models.transfer import Transfer
from openbank.integration.models.transfers import TransferDto


@dataclass(frozen=True, slots=True)
class RequestTransfer(Command[TransferDto]):
    """Asks for an amount to be moved, in the currency of the account that it comes from."""

    from_account_id: str
    to_account_id: str
    amount: Decimal
    reference: str


class RequestTransferHandler(CommandHandler[RequestTransfer, TransferDto]):
    def __init__(
        self, transfers: Repository[Transfer], accounts: Repository[BankAccount], ids: Ids, mapper: Mapper
    ) -> None:
        self.transfers = transfers
        self.accounts = accounts
        self.ids = ids
        self.mapper = mapper

    async def handle(self, command: RequestTransfer) -> TransferDto:
        amount = await self._money(command)
        transfer = Transfer.request(
            self.ids.new(), command.from_account_id, command.to_account_id, amount, command.reference
        )
        await self.transfers.save(transfer)
        return self.mapper.map(transfer, TransferDto)

    async def _money(self, command: RequestTransfer) -> Money:
        try:
            sender = await self.accounts.get(command.from_account_id)
        except NotFoundError:  # the process finds that out, and rejects the transfer
            return Money(command.amount, Currency.EUR)
        return sender.money(command.amount)
