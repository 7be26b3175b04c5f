"""A rebuild under load: readers notice nothing, and at the swap everything is right."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployment.processes import ServiceProcess, serving
from neuroglia.documents import Documents, DocumentStore, DocumentType, Session, eq
from neuroglia.event_sourcing.subscriptions import Generation
from neuroglia.hosting.backing_services import connect_document_store
from openbank.integration.models.accounts import AccountDto
from openbank.integration.models.transactions import TransactionDto
from tests.integration.test_openbank_process import client_of, deposit, open_account, statement
from tests.support.engines import Backing
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration
GENERATIONS = DocumentType(Generation)
ACCOUNTS_SHOWN, LINES = DocumentType(AccountDto), DocumentType(TransactionDto)
OLD, NEW = "as it was", "as it is"
RATE, RATE_ON_MONGODB = 200, 40
"""Reads a second; fewer where the peer that stands in for MongoDB cannot give more."""
ACCOUNTS = 5
DEPOSITS = 20


async def test_given_two_hundred_reads_a_second_when_all_is_rebuilt_then_none_of_them_notices(
    tmp_path: Path, backing: Backing
) -> None:
    with serving("openbank", tmp_path, LEASE_SECONDS="0.3", **backing.environment) as bank:
        accounts = [open_account(bank) for _ in range(ACCOUNTS)]
        for account in accounts:
            for _ in range(DEPOSITS):
                position = deposit(bank, account)
        right = await shown(bank, accounts, position)
        store = connect_document_store(backing.document_store_url)
        await store.open()
        await show_otherwise(store, right)  # as an earlier version of the projections would have

        async with client_of(bank) as http, reading(http, right, rate_of(backing)) as readers, writing(bank) as writer:
            await ask_for(store, "AccountProjection", 2)
            await ask_for(store, "StatementProjection", 2)
            await eventually(lambda: are_live(store, 2))
            await readers.went_on()
            for name in ("AccountProjection", "StatementProjection"):  # once more, and nothing changes
                await ask_for(store, name, 3)
            await eventually(lambda: are_live(store, 3))
            await readers.went_on()
        await store.aclose()

        assert readers.wrong == []
        assert set(readers.told_of) == {("account", OLD), ("account", NEW), ("lines", OLD), ("lines", NEW)}
        print(f"{readers.sent / readers.seconds:.0f} reads a second")  # noqa: T201 - a busy machine may give fewer
        assert writer.deposits > 0
        (other,) = await shown(bank, [writer.account], writer.position)
        assert other["balance"] == f"{writer.deposits / 100:.2f}"
        assert [line["balance_after"] for line in statement(bank, writer.account, writer.position)] == chain(
            writer.deposits
        )
        position = deposit(bank, accounts[0])
        assert (await shown(bank, accounts, position))[0]["balance"] == f"{(DEPOSITS + 1) / 100:.2f}"


async def shown(bank: ServiceProcess, accounts: Sequence[str], position: str) -> list[dict[str, Any]]:
    async with client_of(bank) as http:
        headers = {"X-Wait-For-Position": position}
        return [(await http.get(f"/accounts/{account}", headers=headers)).json() for account in accounts]


def chain(deposits: int) -> list[str]:
    """The balances after each, as a statement shows them."""
    return [f"{cents / 100:.2f}" for cents in range(deposits, 0, -1)]


async def show_otherwise(store: DocumentStore, accounts: Sequence[dict[str, Any]]) -> None:
    """Writes something else into what is shown of each account and of its movements."""
    session = Session(store)
    for account in accounts:
        document = await session.get(ACCOUNTS_SHOWN, account["id"])
        assert document is not None
        document.owner_name = OLD
        session.save(ACCOUNTS_SHOWN, document)
        for line in (
            await Documents(LINES, session).find(
                eq("account_id", account["id"]), order=("recorded_at", "revision"), limit=200
            )
        ).items:
            line.reference = OLD
            session.save(LINES, line)
    await session.commit()


def rate_of(backing: Backing) -> int:
    return RATE_ON_MONGODB if backing.document_store_url.startswith("mongodb:") else RATE


class Readers:
    """Reads of accounts and their statements at a rate, whether or not the ones before are answered.

    Attributes:
        told_of: how often which of the two was shown in which shape.
        wrong: the answers that are not of one piece, or show again what was replaced.
    """

    def __init__(self, http: httpx.AsyncClient, right: Sequence[dict[str, Any]], rate: int) -> None:
        self.rate = rate
        self.told_of: Counter[tuple[str, str]] = Counter()
        self.wrong: list[str] = []
        self.sent, self.seconds = 0, 0.0
        self._http, self._right = http, right
        self._stop = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        async with asyncio.TaskGroup() as group:
            while not self._stop.is_set():
                group.create_task(self._read(self.sent))
                self.sent += 1
                await asyncio.sleep(max(0.0, start + self.sent / self.rate - loop.time()))
            self.seconds = loop.time() - start

    def stop(self) -> None:
        self._stop.set()

    async def went_on(self) -> None:
        """Returns after another second's reads."""
        before = self.told_of.total()

        async def answered() -> bool:
            return self.told_of.total() >= before + self.rate

        await eventually(answered)

    async def _read(self, number: int) -> None:
        right, kind = self._right[number % ACCOUNTS], "account" if number % 2 else "lines"
        is_replaced = (kind, NEW) in self.told_of  # one read model, one swap
        path = f"/accounts/{right['id']}"
        if kind == "account":
            answer = await self._http.get(path)
            body = answer.json()
            shape = OLD if body.get("owner_name") == OLD else NEW
            whole = body == (right if shape == NEW else {**right, "owner_name": OLD})
        else:
            answer = await self._http.get(f"{path}/transactions", params={"limit": 200})
            lines = answer.json().get("items", [])
            shapes = {OLD if line["reference"] == OLD else NEW for line in lines}
            shape = next(iter(shapes), NEW)
            whole = len(shapes) == 1 and [line["balance_after"] for line in lines] == chain(DEPOSITS)
        self.told_of[kind, shape] += 1
        if answer.status_code != 200 or not whole or (is_replaced and shape == OLD):
            self.wrong.append(answer.text)


@asynccontextmanager
async def reading(http: httpx.AsyncClient, right: Sequence[dict[str, Any]], rate: int) -> AsyncGenerator[Readers]:
    readers = Readers(http, right, rate)
    running = asyncio.create_task(readers.run())
    await readers.went_on()
    try:
        yield readers
    finally:
        readers.stop()
        await running


class Writer:
    """Pays into an account of its own, again and again."""

    def __init__(self, account: str) -> None:
        self.account, self.deposits, self.position = account, 0, "0"
        self._stop = asyncio.Event()

    async def run(self, http: httpx.AsyncClient) -> None:
        while not self._stop.is_set():
            body = {"account_id": self.account, "amount": "0.01", "reference": "meanwhile"}
            answer = (await http.post("/transactions/deposits", json=body)).raise_for_status()
            self.deposits += 1
            self.position = answer.headers["x-event-position"]
            await asyncio.sleep(0.02)  # the readers want something, too

    def stop(self) -> None:
        self._stop.set()


@asynccontextmanager
async def writing(bank: ServiceProcess) -> AsyncGenerator[Writer]:
    writer = Writer(open_account(bank))
    async with client_of(bank) as http:
        running = asyncio.create_task(writer.run(http))
        try:
            yield writer
        finally:
            writer.stop()
            await running


async def ask_for(store: DocumentStore, name: str, generation: int) -> None:
    session = Session(store)
    row = await session.get(GENERATIONS, name) or Generation(name=name)
    row.building = generation
    session.save(GENERATIONS, row)
    await session.commit()


async def are_live(store: DocumentStore, generation: int) -> bool:
    rows = [await Session(store).get(GENERATIONS, name) for name in ("AccountProjection", "StatementProjection")]
    return all(row is not None and row.live == generation for row in rows)
