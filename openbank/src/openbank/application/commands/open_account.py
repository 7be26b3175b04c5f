"""Opening an account."""

from dataclasses import dataclass
from decimal import Decimal

from neuroglia.core import Ids, NotFoundError
from neuroglia.domain import Repository
from neuroglia.mediation import Command, CommandHandler
from openbank.application.presenter import AccountPresenter
from openbank.domain.errors import UnknownOwner
from openbank.domain.models.bank_account import BankAccount
from openbank.domain.models.money import Currency, Money
from openbank.domain.models.person import Person
from openbank.integration.models.accounts import AccountDto


@dataclass(frozen=True, slots=True)
class OpenAccount(Command[AccountDto]):
    """Opens an account for a registered person."""

    owner_id: str
    currency: Currency
    overdraft_limit: Decimal


class OpenAccountHandler(CommandHandler[OpenAccount, AccountDto]):
    def __init__(
        self, accounts: Repository[BankAccount], persons: Repository[Person], ids: Ids, presenter: AccountPresenter
    ) -> None:
        self.accounts = accounts
        self.persons = persons
        self.ids = ids
        self.presenter = presenter

    async def handle(self, command: OpenAccount) -> AccountDto:
        try:
            owner = await self.persons.get(command.owner_id)  # the truth: a read model may not know them yet
        except NotFoundError:
            raise UnknownOwner from None
        limit = Money(command.overdraft_limit, command.currency)
        account = BankAccount.open(self.ids.new(), owner.id, limit)
        await self.accounts.save(account)
        return await self.presenter.show(account)
