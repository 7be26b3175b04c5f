"""Closing an account."""

from dataclasses import dataclass

from neuroglia.domain import Repository
from neuroglia.mediation import Command, CommandHandler
from openbank.application.presenter import AccountPresenter
from openbank.domain.models.bank_account import BankAccount
from openbank.integration.models.accounts import AccountDto


@dataclass(frozen=True, slots=True)
class CloseAccount(Command[AccountDto]):
    """Closes an account, which must be empty."""

    account_id: str
    reason: str | None


class CloseAccountHandler(CommandHandler[CloseAccount, AccountDto]):
    def __init__(self, accounts: Repository[BankAccount], presenter: AccountPresenter) -> None:
        self.accounts = accounts
        self.presenter = presenter

    async def handle(self, command: CloseAccount) -> AccountDto:
        account = await self.accounts.get(command.account_id)
        account.close(command.reason)
        await self.accounts.save(account)
        return await self.presenter.show(account)
