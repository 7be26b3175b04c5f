"""Many transfers at once, accounts that freeze and close in between, and kill -9: money is conserved."""

import asyncio
import os
import random
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployment.demo.sink import listening
from deployment.processes import ServiceProcess, serving
from neuroglia.event_sourcing import BEGINNING, EventStore, StoredEvent
from neuroglia.hosting.backing_services import connect_event_store
from openbank.domain.errors import AccountClosed, AccountFrozen, InsufficientFunds
from openbank.domain.models.transfer import Transfer, TransferStatus
from tests.integration.test_kill import everything
from tests.integration.test_openbank_process import PERSON
from tests.openbank.conservation import conserved, how_they_ended, openbank_codec
from tests.support.engines import Backing
from tests.support.issuer import authorized
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration
CLIENTS = 32
ACCOUNTS = 50
FROZEN = 5
"""So many accounts are frozen at the same time."""
CLOSED = 10
"""So many are closed, one after the other."""
LIMIT_S = 300
ROOT = Path(__file__).parents[2]
REPEATING = "tests.integration.apps.repeating_bank"
"""Every message is delivered and handled three times there."""


def seeded() -> random.Random:
    """A failure tells the seed in its output."""
    seed = int(os.environ.get("LOAD_SEED", random.randrange(10**6)))
    print("LOAD_SEED", seed)  # noqa: T201
    return random.Random(seed)


async def open_accounts(http: httpx.AsyncClient, count: int) -> list[str]:
    owner = (await http.post("/persons", json=PERSON)).raise_for_status().json()["id"]
    accounts = []
    for _ in range(count):
        account = (await http.post("/accounts", json={"owner_id": owner})).raise_for_status().json()["id"]
        deposit = {"account_id": account, "amount": "1000.00"}
        (await http.post("/transactions/deposits", json=deposit)).raise_for_status()
        accounts.append(account)

    async def all_are_shown() -> bool:
        last = await http.get(f"/accounts/{accounts[-1]}")
        return last.is_success and last.json()["balance"] == "1000.00"

    await eventually(all_are_shown, LIMIT_S)
    return accounts


async def request(http: httpx.AsyncClient, accounts: list[str], chance: random.Random) -> str:
    """Requests a transfer between two of them. Returns its id."""
    sender, receiver = chance.sample(accounts, 2)
    return await transfer(http, sender, receiver, chance.randint(1, 400))


async def transfer(http: httpx.AsyncClient, sender: str, receiver: str, amount: int) -> str:
    """Requests this one. Returns its id."""
    body = {"from_account_id": sender, "to_account_id": receiver, "amount": f"{amount}.00"}
    answer = await http.post("/transfers", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


class Disturber:
    """Freezes accounts and lets them go again, and closes some, while others transfer.

    Attributes:
        over: set when it shall end.
        closed: the accounts that it has closed.
    """

    def __init__(self, http: httpx.AsyncClient, accounts: list[str], chance: random.Random) -> None:
        self.over = False
        self.closed: set[str] = set()
        self._frozen: deque[str] = deque()
        self._http = http
        self._accounts = accounts
        self._chance = chance

    async def disturb(self) -> None:
        """Until it is over and at least one account is closed: while others move its money, that need not happen."""
        while not (self.over and self.closed):
            at_ease = [one for one in self._accounts if one not in self.closed and one not in self._frozen]
            account, other = self._chance.sample(at_ease, 2)
            if await self._done(f"/accounts/{account}/freeze"):
                self._frozen.append(account)
            if len(self._frozen) > FROZEN and await self._done(f"/accounts/{self._frozen[0]}/unfreeze"):
                self._frozen.popleft()
            if len(self.closed) < CLOSED:
                await self._close(other)

    async def _close(self, account: str) -> None:
        """Empties and closes it, if nobody moves money meanwhile."""
        balance = (await self._http.get(f"/accounts/{account}")).raise_for_status().json()["balance"]
        await self._done("/transactions/withdrawals", {"account_id": account, "amount": balance})
        if await self._done(f"/accounts/{account}/close"):
            self.closed.add(account)

    async def _done(self, path: str, body: dict[str, str] | None = None) -> bool:
        """Posts. False: the account is not in the state for it, or others were faster too often."""
        answer = await self._http.post(path, json=body)
        assert answer.is_success or answer.status_code in {409, 422}, answer.text
        return answer.is_success


async def one_of_each_refusal(http: httpx.AsyncClient, closed: str) -> set[str]:
    """Requests what must end so: whether chance has done it depends on who was faster. Returns their ids."""
    rich, poor, frozen = await open_accounts(http, 3)
    (await http.post(f"/accounts/{frozen}/freeze")).raise_for_status()
    return {
        await transfer(http, rich, closed, 1),
        await transfer(http, poor, rich, 5_000),
        await transfer(http, frozen, rich, 1),
    }


async def all_ended(http: httpx.AsyncClient) -> None:
    """Returns when no transfer is on its way any more, and everybody has passed the last event.

    Raises:
        TimeoutError: for LIMIT_S nobody has come any further.
    """
    furthest: list[int] = []

    async def nothing_is_left() -> bool:
        nonlocal furthest
        subscriptions = (await http.get("/health/ready")).json()["subscriptions"]
        if (reached := [one["position"] for one in subscriptions]) != furthest:
            furthest = reached
            standing.reschedule(asyncio.get_running_loop().time() + LIMIT_S)
        if any(one["lag"] != 0 for one in subscriptions):  # the read models are not worth asking yet
            return False
        on_their_way = [
            (await http.get("/api/v1/transfers", params={"status": status, "limit": 1})).json()["items"]
            for status in ("requested", "debited")
        ]
        return on_their_way == [[], []]

    async with asyncio.timeout(LIMIT_S) as standing:
        await eventually(nothing_is_left, float("inf"))


@asynccontextmanager
async def events_of(backing: Backing) -> AsyncGenerator[EventStore]:
    """The bank's event store, without the bank."""
    store: EventStore = connect_event_store(backing.event_store_url)
    await store.open()
    try:
        yield store
    finally:
        await store.aclose()


async def ended(backing: Backing) -> Mapping[str, Transfer]:
    """All transfers, when money is conserved."""
    async with events_of(backing) as store:
        return await conserved(store, openbank_codec())


async def log_of(backing: Backing) -> list[StoredEvent]:
    """All events of the bank, in the order of its log."""
    events: list[StoredEvent] = []
    async with events_of(backing) as store:
        while not (batch := await store.read_all(after=events[-1].position if events else BEGINNING)).caught_up:
            events += batch.events
        return [*events, *batch.events]


def reasons_of(transfers: Mapping[str, Transfer], end: TransferStatus) -> set[str | None]:
    """Why transfers ended so."""
    return {transfer.reason for transfer in transfers.values() if transfer.status is end}


def statements_agree(shown: dict[str, list[Any]]) -> None:
    """Each balance is the sum of the statement's lines, and each line follows from the one before."""
    for account in shown["accounts"]:
        balance = Decimal(0)
        lines = [line for line in shown["statements"] if line["account_id"] == account["id"]]
        for line in reversed(lines):
            amount = Decimal(line["amount"])
            balance += -amount if line["type"] in {"withdrawal", "transfer_out"} else amount
            assert Decimal(line["balance_after"]) == balance, line
        assert Decimal(account["balance"]) == balance, account


@pytest.mark.parametrize("many", [1_000, pytest.param(10_000, marks=pytest.mark.torture)])
async def test_given_many_transfers_with_freezes_and_closes_then_the_sum_holds(
    tmp_path: Path, backing: Backing, many: int
) -> None:
    chance = seeded()
    left: Iterator[int] = iter(range(many))
    acknowledged: set[str] = set()
    with serving("openbank", tmp_path, **backing.environment) as bank:
        async with httpx.AsyncClient(base_url=bank.url, timeout=60, headers=authorized()) as plain:
            async with httpx.AsyncClient(base_url=f"{bank.url}/api/v1", timeout=60, headers=authorized()) as http:
                accounts = await open_accounts(http, ACCOUNTS)

                disturber = Disturber(http, accounts, chance)

                async def client() -> None:
                    for _ in left:
                        acknowledged.add(await request(http, accounts, chance))

                async with asyncio.TaskGroup() as all_of_them:
                    all_of_them.create_task(disturber.disturb())
                    async with asyncio.TaskGroup() as clients:
                        for _ in range(CLIENTS):
                            clients.create_task(client())
                    disturber.over = True
                acknowledged |= (late := await one_of_each_refusal(http, min(disturber.closed)))
            await all_ended(plain)
        shown = everything(bank)

    transfers = await ended(backing)
    assert len(acknowledged) == many + len(late)
    assert acknowledged == transfers.keys()
    ends = how_they_ended(transfers)
    assert ends[TransferStatus.COMPLETED] > many / 10
    assert {AccountFrozen.code, InsufficientFunds.code} <= reasons_of(transfers, TransferStatus.REJECTED)
    assert reasons_of(transfers, TransferStatus.REFUNDED) == {AccountClosed.code}
    assert disturber.closed == {one["id"] for one in shown["accounts"] if one["status"] == "closed"} != set()
    statements_agree(shown)


class Interest:
    """Another service, which tells of each interest three times.

    Attributes:
        told: all amounts, of which no two are the same.
        acknowledged: those that the bank has answered for, at least once.
    """

    def __init__(self, chance: random.Random) -> None:
        self.told: set[str] = set()
        self.acknowledged: set[str] = set()
        self._chance = chance

    async def tell(self, http: httpx.AsyncClient, accounts: list[str]) -> None:
        amount = f"{(len(self.told) + 1) / 100:.2f}"
        self.told.add(amount)
        event = {
            "specversion": "1.0", "id": amount, "source": "/interest", "type": "io.openbank.interest-due.v1",
            "data": {"account_id": self._chance.choice(accounts), "amount": amount},
        }  # fmt: skip
        headers = {"content-type": "application/cloudevents+json"}
        with suppress(httpx.TransportError):
            for _ in range(3):
                answer = await http.post("/cloudevents", json=event, headers=headers)
                assert answer.status_code == 202, answer.text
                self.acknowledged.add(amount)

    async def is_credited(self, http: httpx.AsyncClient) -> bool:
        """Whether all is credited that was acknowledged."""
        accounts = (await http.get("/accounts")).json()["items"]
        lists = [
            (await http.get(f"/accounts/{one['id']}/transactions", params={"type": "interest", "limit": 200})).json()
            for one in accounts
        ]
        return self.acknowledged <= {line["amount"] for page in lists for line in page["items"]}


def told_in_order(heard: list[dict[str, Any]], stored: list[StoredEvent]) -> None:
    """Each event was told under its id, however often, and those of one aggregate in their order."""
    lasting = [event for event in heard if event["type"] != "io.openbank.unusual-activity.v1"]
    assert len(lasting) > len(stored), "some were told again"
    assert len({(event["id"], event["type"], str(event["data"])) for event in lasting}) == len(stored)
    for stream in {event.stream for event in stored}:
        subject = stream.partition("-")[2]
        told = list(dict.fromkeys(event["id"] for event in lasting if event["subject"] == subject))
        assert told == [event.id for event in stored if event.stream == stream]


@pytest.mark.usefixtures("after_kills")
@pytest.mark.parametrize("kills", [pytest.param(20, id="20"), pytest.param(200, id="200", marks=pytest.mark.torture)])
async def test_given_random_kills_and_messages_three_times_then_all_that_was_acknowledged_ends_once(
    tmp_path: Path, backing: Backing, kills: int
) -> None:
    chance = seeded()
    acknowledged: set[str] = set()
    interest = Interest(chance)
    accounts: list[str] = []

    async def client(http: httpx.AsyncClient) -> None:
        while True:
            try:
                acknowledged.add(await request(http, accounts, chance))
            except httpx.TransportError:
                return

    async def one_more(so_far: int) -> bool:
        return len(acknowledged) > so_far

    def life(module: str) -> AbstractContextManager[ServiceProcess]:
        environment = {"LEASE_SECONDS": "0.3", "CLOUD_EVENTS_SINK": outside.url, "PYTHONPATH": str(ROOT)}
        return serving(module, tmp_path, within=LIMIT_S, **environment, **backing.environment)

    with listening() as outside:
        for number in range(kills):
            with life(REPEATING if number % 2 else "openbank") as bank:
                async with httpx.AsyncClient(base_url=f"{bank.url}/api/v1", timeout=30, headers=authorized()) as http:
                    accounts = accounts or await open_accounts(http, 6)
                    so_far = len(acknowledged)
                    load = [asyncio.create_task(client(http)) for _ in range(4)]
                    load.append(asyncio.create_task(interest.tell(http, accounts)))
                    await eventually(partial(one_more, so_far), LIMIT_S)
                    await asyncio.wait(load, timeout=chance.uniform(0, 0.6), return_when=asyncio.FIRST_EXCEPTION)
                    bank.kill()
                    await asyncio.gather(*load)
        with life(REPEATING) as bank:
            async with httpx.AsyncClient(base_url=bank.url, timeout=60, headers=authorized()) as plain:
                async with httpx.AsyncClient(base_url=f"{bank.url}/api/v1", timeout=60, headers=authorized()) as http:
                    await eventually(lambda: interest.is_credited(http), LIMIT_S)
                await all_ended(plain)
            shown = everything(bank)

    assert len(acknowledged) > kills
    assert acknowledged <= (await ended(backing)).keys()
    credited = [line["amount"] for line in shown["statements"] if line["type"] == "interest"]
    assert len(credited) == len(set(credited))
    assert interest.acknowledged <= set(credited) <= interest.told
    assert len(interest.acknowledged) > 0
    told_in_order(outside.heard, await log_of(backing))
    statements_agree(shown)
