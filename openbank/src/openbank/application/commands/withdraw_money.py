"""Taking money out of an account."""

from dataclasses import dataclass
from decimal import Decimal

from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Command, CommandHandler
from openbank.domain.models.bank_account import BankAccount
from openbank.integration.models.transactions import TransactionDto


@dataclass(frozen=True, slots=True)
class WithdrawMoney(Command[TransactionDto]):
    """Takes an amount out of an account, if there is enough."""

    account_id: str
    amount: Decimal
    reference: str


class WithdrawMoneyHandler(CommandHandler[WithdrawMoney, TransactionDto]):
    def __init__(self, accounts: Repository[BankAccount], mapper: Mapper) -> None:
        self.accounts = accounts
        self.mapper = mapper

    async def handle(self, command: WithdrawMoney) -> TransactionDto:
        account = await self.accounts.get(command.account_id)
        account.withdraw(account.money(command.amount), command.reference)
        (withdrawn,) = await self.accounts.save(account)
        return self.mapper.map(withdrawn, TransactionDto)
