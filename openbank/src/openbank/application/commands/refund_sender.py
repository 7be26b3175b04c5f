"""Undoing the first half of a transfer."""

from dataclasses import dataclass

from neuroglia.domain import Repository
from neuroglia.mediation import Command, CommandHandler
from openbank.domain.events.accounts import Leg
from openbank.domain.models.bank_account import BankAccount
from openbank.domain.models.money import Money


@dataclass(frozen=True, slots=True)
class RefundSender(Command[None]):
    """Gives the money of a transfer that failed back to the account that it came from."""

    transfer_id: str
    account_id: str
    counterparty_account_id: str
    amount: Money
    reference: str


class RefundSenderHandler(CommandHandler[RefundSender, None]):
    def __init__(self, accounts: Repository[BankAccount]) -> None:
        self.accounts = accounts

    async def handle(self, command: RefundSender) -> None:
        account = await self.accounts.get(command.account_id)
        leg = Leg(command.transfer_id, command.counterparty_account_id)
        account.take_back(command.amount, command.reference, leg)
        await self.accounts.save(account)
