"""Crediting interest that another service has calculated."""

from dataclasses import dataclass
from decimal import Decimal

from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Command, CommandHandler
from openbank.domain.models.bank_account import BankAccount
from openbank.integration.models.transactions import TransactionDto


@dataclass(frozen=True, slots=True)
class CreditInterest(Command[TransactionDto]):
    """Pays the interest that is due into an account."""

    account_id: str
    amount: Decimal
    reference: str


class CreditInterestHandler(CommandHandler[CreditInterest, TransactionDto]):
    def __init__(self, accounts: Repository[BankAccount], mapper: Mapper) -> None:
        self.accounts = accounts
        self.mapper = mapper

    async def handle(self, command: CreditInterest) -> TransactionDto:
        account = await self.accounts.get(command.account_id)
        account.credit_interest(account.money(command.amount), command.reference)
        (credited,) = await self.accounts.save(account)
        return self.mapper.map(credited, TransactionDto)
