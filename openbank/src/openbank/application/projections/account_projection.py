"""Accounts and their owners, as they are shown."""

from neuroglia.documents import Documents
from neuroglia.domain import Envelope
from neuroglia.event_sourcing import Projection, on
from neuroglia.mapping import Mapper
from openbank.domain.events.accounts import (
    AccountClosed,
    AccountFrozen,
    AccountOpened,
    AccountUnfrozen,
    MoneyDeposited,
    MoneyWithdrawn,
)
from openbank.domain.events.persons import PersonAddressChanged, PersonRegistered
from openbank.domain.models.bank_account import AccountStatus
from openbank.domain.models.money import Money
from openbank.integration.models.accounts import AccountDto
from openbank.integration.models.persons import AddressDto, PersonDto


class AccountProjection(Projection):
    """Keeps both models in one ordered consumer: an owner's name is there before the account that shows it."""

    def __init__(self, accounts: Documents[AccountDto], persons: Documents[PersonDto], mapper: Mapper) -> None:
        self.accounts = accounts
        self.persons = persons
        self.mapper = mapper

    @on
    async def registered(self, event: PersonRegistered, envelope: Envelope) -> None:
        await self.persons.save(self.mapper.map(envelope, PersonDto))

    @on
    async def moved(self, event: PersonAddressChanged, envelope: Envelope) -> None:
        person = await self.persons.get(envelope.aggregate_id)
        person.address = self.mapper.map(event.address, AddressDto)
        person.version = envelope.revision
        await self.persons.save(person)

    @on
    async def opened(self, event: AccountOpened, envelope: Envelope) -> None:
        owner = await self.persons.get(event.owner_id)
        name = f"{owner.first_name} {owner.last_name}"
        await self.accounts.save(self.mapper.map(envelope, AccountDto, owner_name=name))

    @on
    async def deposited(self, event: MoneyDeposited, envelope: Envelope) -> None:
        await self._update(envelope, balance=event.balance_after)

    @on
    async def withdrawn(self, event: MoneyWithdrawn, envelope: Envelope) -> None:
        await self._update(envelope, balance=event.balance_after)

    @on
    async def frozen(self, event: AccountFrozen, envelope: Envelope) -> None:
        await self._update(envelope, status=AccountStatus.FROZEN)

    @on
    async def unfrozen(self, event: AccountUnfrozen, envelope: Envelope) -> None:
        await self._update(envelope, status=AccountStatus.OPEN)

    @on
    async def closed(self, event: AccountClosed, envelope: Envelope) -> None:
        await self._update(envelope, status=AccountStatus.CLOSED)

    async def _update(
        self, envelope: Envelope, *, balance: Money | None = None, status: AccountStatus | None = None
    ) -> None:
        account = await self.accounts.get(envelope.aggregate_id)
        if balance is not None:
            account.balance, account.available = balance.amount, balance.amount + account.overdraft_limit
        account.status = status or account.status
        account.version = envelope.revision
        await self.accounts.save(account)
