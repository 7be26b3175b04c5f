"""The second half of a transfer."""

from dataclasses import dataclass

from neuroglia.domain import Repository
from neuroglia.mediation import Command, CommandHandler
from openbank.domain.events.accounts import Leg
from openbank.domain.models.bank_account import BankAccount
from openbank.domain.models.money import Money


@dataclass(frozen=True, slots=True)
class CreditReceiver(Command[None]):
    """Pays the money of a transfer into the account that it goes to."""

    transfer_id: str
    account_id: str
    counterparty_account_id: str
    amount: Money
    reference: str


class CreditReceiverHandler(CommandHandler[CreditReceiver, None]):
    def __init__(self, accounts: Repository[BankAccount]) -> None:
        self.accounts = accounts

    async def handle(self, command: CreditReceiver) -> None:
        account = await self.accounts.get(command.account_id)
        leg = Leg(command.transfer_id, command.counterparty_account_id)
        account.receive(command.amount, command.reference, leg)
        await self.accounts.save(account)
