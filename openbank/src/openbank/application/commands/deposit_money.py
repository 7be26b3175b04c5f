"""Paying money into an account."""

from dataclasses import dataclass
from decimal import Decimal

from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Command, CommandHandler
from openbank.domain.models.bank_account import BankAccount
from openbank.integration.models.transactions import TransactionDto


@dataclass(frozen=True, slots=True)
class DepositMoney(Command[TransactionDto]):
    """Pays an amount into an account."""

    account_id: str
    amount: Decimal
    reference: str


class DepositMoneyHandler(CommandHandler[DepositMoney, TransactionDto]):
    def __init__(self, accounts: Repository[BankAccount], mapper: Mapper) -> None:
        self.accounts = accounts
        self.mapper = mapper

    async def handle(self, command: DepositMoney) -> TransactionDto:
        account = await self.accounts.get(command.account_id)
        account.deposit(account.money(command.amount), command.reference)
        (deposited,) = await self.accounts.save(account)
        return self.mapper.map(deposited, TransactionDto)
