"""The first half of a transfer."""

from dataclasses import dataclass

from neuroglia.domain import Repository
from neuroglia.mediation import Command, CommandHandler
from openbank.domain.events.accounts import Leg
from openbank.domain.models.bank_account import BankAccount
from openbank.domain.models.money import Money


@dataclass(frozen=True, slots=True)
class DebitSender(Command[None]):
    """Takes the money of a transfer out of the account that it comes from."""

    transfer_id: str
    account_id: str
    counterparty_account_id: str
    amount: Money
    reference: str


class DebitSenderHandler(CommandHandler[DebitSender, None]):
    def __init__(self, accounts: Repository[BankAccount]) -> None:
        self.accounts = accounts

    async def handle(self, command: DebitSender) -> None:
        account = await self.accounts.get(command.account_id)
        leg = Leg(command.transfer_id, command.counterparty_account_id)
        account.send(command.amount, command.reference, leg)
        await self.accounts.save(account)
