"""A durable deposit: the whole command, on SQLite on disk, beside the commit of the same row by hand."""

import asyncio
import contextlib
import sqlite3
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path

from neuroglia.mediation import Mediator
from neuroglia.testing import RunningService, running
from openbank.application.commands.deposit_money import DepositMoney
from openbank.application.commands.open_account import OpenAccount
from openbank.application.commands.register_person import RegisterPerson
from openbank.domain.models.money import Currency
from openbank.integration.models.persons import AddressDto
from openbank.main import create_app
from openbank.settings import OpenBankSettings
from tests.benchmarks.harness import Figure, compare, in_turns

_ROUNDS = 9
_TIMES = 40
_NAME = "deposit, durable, one at a time | the same row by hand"


def measure() -> Sequence[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        settings = OpenBankSettings(
            data_dir=Path(folder),
            event_store_url="sqlite:///{DATA_DIR}/events.db",
            document_store_url="sqlite:///{DATA_DIR}/documents.db",
            log_level="WARNING",
        )
        with asyncio.Runner() as loop, contextlib.ExitStack() as cleanup:
            service_context = running(create_app(settings))
            service = loop.run(service_context.__aenter__())
            cleanup.callback(lambda: loop.run(service_context.__aexit__(None, None, None)))
            bank = loop.run(_Bank.open(service))
            loop.run(bank.deposit(_TIMES))  # the row to copy
            by_hand = _ByHand(Path(folder) / "events.db", Path(folder) / "raw.db")
            cleanup.callback(by_hand.close)
            ours: Callable[[], float] = lambda: loop.run(bank.deposit(_TIMES))  # noqa: E731
            samples = in_turns([ours, lambda: by_hand.commit(_TIMES)], _ROUNDS)
    return [compare(_NAME, *samples)]


class _Bank:
    def __init__(self, service: RunningService, mediator: Mediator, owner_id: str) -> None:
        self._service = service
        self._mediator = mediator
        self._owner_id = owner_id

    @classmethod
    async def open(cls, service: RunningService) -> "_Bank":
        mediator = await service.services.get(Mediator)
        address = AddressDto(street="Unter den Linden", number="1", postal_code="10117", city="Berlin", country="DE")
        owner = await mediator.execute(RegisterPerson("Ada", "Lovelace", "GB", date(1990, 12, 10), None, address))
        return cls(service, mediator, owner.id)

    async def deposit(self, times: int) -> float:
        """Deposits a second, on an account of their own; when all is over the read models follow, untimed."""
        account = await self._mediator.execute(OpenAccount(self._owner_id, Currency.EUR, Decimal(0)))
        await self._service.settle()
        start = time.perf_counter()
        for _ in range(times):
            await self._mediator.execute(DepositMoney(account.id, Decimal("12.50"), "rent"))
        rate = times / (time.perf_counter() - start)
        await self._service.settle()
        return rate


class _ByHand:
    """The same table and row in a file of its own, with the same promises: WAL and synchronous=FULL."""

    def __init__(self, model: Path, file: Path) -> None:
        with contextlib.closing(sqlite3.connect(model)) as source:
            (schema,) = source.execute("SELECT sql FROM sqlite_master WHERE name = 'events'").fetchone()
            found = source.execute("SELECT * FROM events ORDER BY position DESC LIMIT 1")
            names = [column[0] for column in found.description]
            self._row = dict(zip(names, found.fetchone(), strict=True))
        del self._row["position"]
        self._revision = 0
        marks = ", ".join(f":{name}" for name in self._row)
        self._insert = f"INSERT INTO events ({', '.join(self._row)}) VALUES ({marks})"
        self._connection = sqlite3.connect(file, isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(schema)

    def commit(self, times: int) -> float:
        start = time.perf_counter()
        for _ in range(times):
            self._revision += 1
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute(self._insert, {**self._row, "revision": self._revision})
            self._connection.execute("COMMIT")
        return times / (time.perf_counter() - start)

    def close(self) -> None:
        self._connection.close()
