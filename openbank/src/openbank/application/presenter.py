"""Showing accounts right after a command, from the truth and not from a read model that lags behind."""

from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from openbank.domain.models.bank_account import BankAccount
from openbank.domain.models.person import Person
from openbank.integration.models.accounts import AccountDto


class AccountPresenter:
    """Shows an account together with its owner's name, which the account itself does not know."""

    def __init__(self, persons: Repository[Person], mapper: Mapper) -> None:
        self.persons = persons
        self.mapper = mapper

    async def show(self, account: BankAccount) -> AccountDto:
        """The account as it was just stored."""
        owner = await self.persons.get(account.owner_id)
        return self.mapper.map(account, AccountDto, owner_name=owner.name)
