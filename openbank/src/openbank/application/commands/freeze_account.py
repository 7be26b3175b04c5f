"""Stopping the debits of an account."""

from dataclasses import dataclass

from typing_extensions import override

from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Command, CommandHandler
from openbank.domain.models.bank_account import BankAccount
from openbank.domain.models.person import Person
from openbank.integration.models.accounts import AccountDto


@dataclass(frozen=True, slots=True)
class FreezeAccount(Command[AccountDto]):
    """Stops the debits of an account."""

    account_id: str
    reason: str | None


class FreezeAccountHandler(CommandHandler[FreezeAccount, AccountDto]):
    def __init__(self, accounts: Repository[BankAccount], persons: Repository[Person], mapper: Mapper) -> None:
        self.accounts = accounts
        self.persons = persons
        self.mapper = mapper

    @override
    async def handle(self, command: FreezeAccount) -> AccountDto:
        account = await self.accounts.get(command.account_id)
        account.freeze(command.reason)
        await self.accounts.save(account)
        owner = await self.persons.get(account.owner_id)
        return self.mapper.map(account, AccountDto, owner_name=owner.name)
