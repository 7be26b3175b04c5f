"""How the domain is shown."""

from neuroglia.domain import Envelope
from neuroglia.mapping import mapping
from openbank.domain.events.accounts import AccountOpened, MoneyMoved
from openbank.domain.events.persons import PersonRegistered
from openbank.domain.events.transfers import TransferRequested
from openbank.domain.models.address import Address
from openbank.domain.models.bank_account import AccountStatus, BankAccount
from openbank.domain.models.money import Money
from openbank.domain.models.person import Person
from openbank.domain.models.transfer import Transfer, TransferStatus
from openbank.integration.models.accounts import AccountDto
from openbank.integration.models.persons import AddressDto, PersonDto
from openbank.integration.models.transactions import TransactionDto
from openbank.integration.models.transfers import TransferDto


@mapping
def show_address(address: Address) -> AddressDto:
    """An address as it is shown."""
    return AddressDto.model_validate(address, from_attributes=True)


@mapping
def read_address(address: AddressDto) -> Address:
    """An address as it was sent."""
    return Address(**dict(address))


@mapping
def show_person(person: Person) -> PersonDto:
    """A person who was just stored."""
    assert person.created_at is not None
    return PersonDto(
        id=person.id,
        first_name=person.first_name,
        last_name=person.last_name,
        nationality=person.nationality,
        date_of_birth=person.date_of_birth,
        gender=person.gender,
        address=show_address(person.address),
        registered_at=person.created_at,
        version=person.version,
    )


@mapping
def show_registered(envelope: Envelope) -> PersonDto:
    """A person as they were registered."""
    person = envelope.event
    assert isinstance(person, PersonRegistered)
    return PersonDto(
        id=envelope.aggregate_id,
        first_name=person.first_name,
        last_name=person.last_name,
        nationality=person.nationality,
        date_of_birth=person.date_of_birth,
        gender=person.gender,
        address=show_address(person.address),
        registered_at=envelope.recorded_at,
        version=envelope.revision,
    )


@mapping
def show_account(account: BankAccount, *, owner_name: str) -> AccountDto:
    """An account that was just stored; it does not know its owner's name."""
    assert account.created_at is not None
    return AccountDto(
        id=account.id,
        owner_id=account.owner_id,
        owner_name=owner_name,
        currency=account.balance.currency,
        balance=account.balance.amount,
        available=account.available.amount,
        overdraft_limit=account.overdraft_limit.amount,
        status=account.status,
        opened_at=account.created_at,
        version=account.version,
    )


@mapping
def show_opened(envelope: Envelope, *, owner_name: str) -> AccountDto:
    """An account as it was opened."""
    account = envelope.event
    assert isinstance(account, AccountOpened)
    limit = account.overdraft_limit
    return AccountDto(
        id=envelope.aggregate_id,
        owner_id=account.owner_id,
        owner_name=owner_name,
        currency=limit.currency,
        balance=Money.zero(limit.currency).amount,
        available=limit.amount,
        overdraft_limit=limit.amount,
        status=AccountStatus.OPEN,
        opened_at=envelope.recorded_at,
        version=envelope.revision,
    )


@mapping
def show_transaction(envelope: Envelope) -> TransactionDto:
    """A movement as it was recorded."""
    movement = envelope.event
    assert isinstance(movement, MoneyMoved)
    return TransactionDto(
        id=envelope.id,
        account_id=envelope.aggregate_id,
        type=movement.type,
        amount=movement.amount.amount,
        currency=movement.amount.currency,
        balance_after=movement.balance_after.amount,
        reference=movement.reference,
        counterparty_account_id=movement.leg.counterparty_account_id if movement.leg else None,
        transfer_id=movement.leg.transfer_id if movement.leg else None,
        recorded_at=envelope.recorded_at,
        revision=envelope.revision,
    )


@mapping
def show_transfer(transfer: Transfer) -> TransferDto:
    """A transfer as it stands."""
    assert transfer.created_at is not None
    assert transfer.modified_at is not None
    return TransferDto(
        id=transfer.id,
        status=transfer.status,
        from_account_id=transfer.from_account_id,
        to_account_id=transfer.to_account_id,
        amount=transfer.amount.amount,
        currency=transfer.amount.currency,
        reason=transfer.reason,
        requested_at=transfer.created_at,
        updated_at=transfer.modified_at,
    )


@mapping
def show_requested(envelope: Envelope) -> TransferDto:
    """A transfer as it was requested."""
    transfer = envelope.event
    assert isinstance(transfer, TransferRequested)
    return TransferDto(
        id=envelope.aggregate_id,
        status=TransferStatus.REQUESTED,
        from_account_id=transfer.from_account_id,
        to_account_id=transfer.to_account_id,
        amount=transfer.amount.amount,
        currency=transfer.amount.currency,
        requested_at=envelope.recorded_at,
        updated_at=envelope.recorded_at,
    )
