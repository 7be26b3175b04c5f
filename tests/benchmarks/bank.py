"""OpenBank in this process, on SQLite files, for the figures of event sourcing."""

import asyncio
import contextlib
import tempfile
import time
from asyncio import Runner
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from typing_extensions import override

from neuroglia.core import SystemClock, SystemIds
from neuroglia.domain import DomainEvent
from neuroglia.event_sourcing import (
    NO_STREAM,
    EventCodec,
    EventMetadata,
    EventStore,
    NewEvent,
    Subscriptions,
    stream_name,
)
from neuroglia.event_sourcing.handlers import Subscriber
from neuroglia.event_sourcing.subscriptions import SubscriptionRunner
from neuroglia.hosting import WebApplicationBuilder
from neuroglia.mediation import Mediator
from neuroglia.testing import RunningService, running
from openbank.application.commands.deposit_money import DepositMoney
from openbank.application.commands.open_account import OpenAccount
from openbank.application.commands.register_person import RegisterPerson
from openbank.domain.events.accounts import AccountOpened, MoneyDeposited
from openbank.domain.models.bank_account import BankAccount
from openbank.domain.models.money import Currency, Money
from openbank.integration.models.persons import AddressDto
from openbank.main import create_builder
from openbank.settings import OpenBankSettings

_AMOUNT = Decimal("12.50")
_EUR = Money(_AMOUNT, Currency.EUR)
_DEPOSITED = MoneyDeposited(amount=_EUR, balance_after=_EUR, reference="rent")


class Bank:
    """The application, and what the figures do with it."""

    def __init__(self, service: RunningService, mediator: Mediator, events: Path, documents: Path) -> None:
        self.service = service
        self.mediator = mediator
        self.events = events
        self.documents = documents
        self._ids = SystemIds()

    async def owner(self) -> str:
        """The id of a new person."""
        address = AddressDto(street="Unter den Linden", number="1", postal_code="10117", city="Berlin", country="DE")
        person = RegisterPerson("Ada", "Lovelace", "GB", date(1990, 12, 10), None, address)
        return (await self.mediator.execute(person)).id

    async def account(self, owner_id: str) -> str:
        """The id of a new account, opened by its command."""
        return (await self.mediator.execute(OpenAccount(owner_id, Currency.EUR, Decimal(0)))).id

    async def deposit(self, account_id: str) -> None:
        await self.mediator.execute(DepositMoney(account_id, _AMOUNT, "rent"))

    async def account_of(self, count: int) -> str:
        """The id of a new account with so many events, which no command has made: there is no snapshot of it."""
        account_id = self._ids.new()
        opened = AccountOpened(owner_id="1", overdraft_limit=Money.zero(Currency.EUR))
        codec, store = await self.service.services.get(EventCodec), await self.service.services.get(EventStore)
        events = [new_event(codec, event) for event in [opened, *[_DEPOSITED] * (count - 1)]]
        await store.append(stream_name(BankAccount, account_id), events, -1)
        return account_id


class _Idle(Subscriptions):
    """Runners that nobody starts."""

    @override
    async def start(self) -> None:
        pass

    @override
    async def stop(self) -> None:
        pass


def new_event(codec: EventCodec, event: DomainEvent = _DEPOSITED) -> NewEvent:
    """An event that is ready to be appended."""
    metadata = EventMetadata(
        recorded_at=SystemClock().now(), correlation_id=SystemIds().new(), causation_id=None, actor="anonymous"
    )
    return NewEvent(id=SystemIds().new(), type=codec.name(event), data=codec.encode(event), metadata=metadata)


@contextlib.asynccontextmanager
async def bank(
    folder: Path,
    *,
    projecting: bool,
    documents: str = "documents.db",
    sink: str | None = None,
    add: Callable[[WebApplicationBuilder], None] | None = None,
) -> AsyncIterator[Bank]:
    """OpenBank with its files in a folder; its projections run, or nothing follows the log. `documents`: a file there,
    or the URL of a store. `add` gives it more."""
    settings = OpenBankSettings(
        data_dir=folder,
        event_store_url="sqlite:///{DATA_DIR}/events.db",
        document_store_url=documents if "://" in documents else f"sqlite:///{{DATA_DIR}}/{documents}",
        log_level="WARNING",
        cloud_events_sink=sink,
    )
    builder = create_builder(settings)
    if add is not None:
        add(builder)
    if not projecting:
        builder.services.add_singleton(Subscriptions, _Idle)
    async with running(builder.build()) as service:
        mediator = await service.services.get(Mediator)
        yield Bank(service, mediator, folder / "events.db", folder / documents)


@contextlib.contextmanager
def open_bank(*, projecting: bool = False) -> Iterator[tuple[Bank, Runner]]:
    """The same in a temporary folder, with the loop that it lives on."""
    with tempfile.TemporaryDirectory() as folder, Runner() as loop:
        context = bank(Path(folder), projecting=projecting)
        subject = loop.run(context.__aenter__())
        try:
            yield subject, loop
        finally:
            loop.run(context.__aexit__(None, None, None))


async def fill(folder: Path, accounts: int, events: int) -> None:
    """Rounds of one deposit for each account, as a bank's day is; nobody follows the log."""
    async with bank(folder, projecting=False) as subject:
        services = subject.service.services
        codec, store = await services.get(EventCodec), await services.get(EventStore)
        for revision in range(events // accounts):
            streams = [f"bank_account-{number}" for number in range(accounts)]
            await asyncio.gather(*(store.append(s, [new_event(codec)], NO_STREAM + revision) for s in streams))


async def catch_up(
    folder: Path,
    subscriber: type[Subscriber],
    *,
    documents: str,
    sink: str | None = None,
    add: Callable[[WebApplicationBuilder], None] | None = None,
) -> float:
    """Lets one that follows the log do so alone, from the first event to the last. Returns positions a second."""
    async with bank(folder, projecting=False, documents=documents, sink=sink, add=add) as subject:
        services = subject.service.services
        head = await (await services.get(EventStore)).head()
        runners = await services.get(list[SubscriptionRunner])
        subscriptions = Subscriptions([runner for runner in runners if runner.kind.subscriber is subscriber])
        start = time.perf_counter()
        await subscriptions.start()
        await subscriptions.wait_for(head, 60)
        elapsed = time.perf_counter() - start
        await subscriptions.stop()
    return head / elapsed


def percentile(samples: Sequence[float], part: float) -> float:
    """The smallest sample that this part of all does not exceed."""
    return sorted(samples)[min(len(samples) - 1, int(len(samples) * part))]
