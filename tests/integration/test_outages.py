"""EventStoreDB, MongoDB or both are killed under OpenBank: readiness tells, nothing is lost, and all goes on."""

import asyncio
import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployment.processes import ServiceProcess, serving, until
from tests.integration.test_openbank_process import client_of, deposit, open_account, request, statement
from tests.support.dead_end import DeadEnd
from tests.support.eventstoredb.process import StandIn
from tests.support.mongo import Peer, mongo_peer

pytestmark = pytest.mark.integration
SECONDS = 30.0
WRITERS = 8
SUBSCRIPTIONS = 6
KILLED = [
    pytest.param(["event_store"], id="event store"),
    pytest.param(["document_store"], id="document store"),
    pytest.param(["event_store", "document_store"], id="both"),
]


class Bank:
    """OpenBank on an EventStoreDB and a MongoDB that can be killed."""

    def __init__(self, service: ServiceProcess, events: StandIn, documents: Peer) -> None:
        self.service = service
        self.servers: dict[str, StandIn | Peer] = {"event_store": events, "document_store": documents}

    def kill(self, names: list[str]) -> None:
        for name in names:
            self.servers[name].kill()

    def restart(self, names: list[str]) -> None:
        for name in names:
            self.servers[name].start()

    def readiness(self) -> tuple[int, dict[str, Any]]:
        answer = httpx.get(f"{self.service.url}/health/ready", verify=False, timeout=30)
        return answer.status_code, answer.json()

    def tells_down(self, names: list[str]) -> bool:
        status, ready = self.readiness()
        down = [found["name"] for found in ready.get("services", []) if found["state"] == "down"]
        return (status, ready["status"], sorted(down)) == (503, "unavailable", sorted(names))

    def failures(self) -> Counter[str]:
        """How often each subscription has told that it failed."""
        told = [line for line in self.service.lines if line["message"] == "subscription failed, trying again"]
        return Counter(line["subscription"] for line in told)

    def processor_seconds(self) -> float:
        fields = Path(f"/proc/{self.service.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Bank]:
    with ExitStack() as stack:
        folder = tmp_path / "mongo"
        folder.mkdir()
        documents = stack.enter_context(mongo_peer(folder))
        events = StandIn(tmp_path / "log").start()
        stack.callback(events.kill)
        urls = {"EVENT_STORE_URL": events.url, "DOCUMENT_STORE_URL": documents.url()}
        service = stack.enter_context(serving("openbank", tmp_path / "bank", LEASE_SECONDS="1", **urls))
        yield Bank(service, events, documents)


class Deposits:
    """Payments under way: those that were acknowledged, and those of which nobody knows."""

    def __init__(self, accounts: list[str]) -> None:
        self.accounts = accounts
        self.acknowledged: dict[str, str] = {}
        self.positions: list[int] = []
        self.refused = 0
        self._sent = 0
        self._stopping = False

    async def pay(self, http: httpx.AsyncClient) -> None:
        """Pays in, again and again, until told to stop."""
        while not self._stopping:
            self._sent += 1
            reference, account = f"movement {self._sent}", self.accounts[self._sent % len(self.accounts)]
            body = {"account_id": account, "amount": "1.00", "reference": reference}
            answer = await http.post("/transactions/deposits", json=body)
            assert answer.status_code in {201, 409, 503}, answer.text
            if answer.status_code == 201:
                self.acknowledged[reference] = account
                self.positions.append(int(answer.headers["x-event-position"]))
            self.refused += answer.status_code == 503

    def stop(self) -> None:
        self._stopping = True

    def more(self, count: int) -> None:
        goal = len(self.acknowledged) + count
        until(lambda: len(self.acknowledged) >= goal, f"{count} more deposits", SECONDS)


@pytest.mark.parametrize("killed", KILLED)
async def test_given_a_load_when_a_store_is_killed_and_back_then_nothing_is_lost_or_doubled_and_all_goes_on(
    bank: Bank, killed: list[str]
) -> None:
    deposits = Deposits([await asyncio.to_thread(open_account, bank.service) for _ in range(4)])
    async with client_of(bank.service) as http, asyncio.TaskGroup() as group:
        for _ in range(WRITERS):
            group.create_task(deposits.pay(http))
        for _ in range(2):
            await asyncio.to_thread(deposits.more, 30)
            bank.kill(killed)
            await asyncio.to_thread(until, lambda: bank.tells_down(killed), f"503 that names {killed}", SECONDS)
            assert (await http.get(f"{bank.service.url}/health/live")).status_code == 200
            await asyncio.to_thread(bank.restart, killed)
            await asyncio.to_thread(deposits.more, 30)
        deposits.stop()
    await asyncio.to_thread(until, bank.service.is_ready, "the bank to be ready again", SECONDS)

    last = str(max(deposits.positions))
    lines = [line for account in deposits.accounts for line in statement(bank.service, account, last)]
    kept = {line["reference"]: line["account_id"] for line in lines}
    assert deposits.acknowledged.items() <= kept.items()
    assert len(kept) == len(lines)  # else one was applied twice
    for account in deposits.accounts:
        own = [line for line in reversed(lines) if line["account_id"] == account]
        assert [Decimal(line["balance_after"]) for line in own] == [Decimal(n + 1) for n in range(len(own))]
        shown = request(bank.service, "GET", f"/accounts/{account}", last).json()
        assert (Decimal(shown["balance"]), shown["version"]) == (len(own), len(own))


@pytest.mark.parametrize("killed", KILLED)
def test_given_a_store_that_stays_away_then_it_is_tried_now_and_then_and_the_projections_go_on_once_it_is_back(
    bank: Bank, killed: list[str]
) -> None:
    account = open_account(bank.service)
    request(bank.service, "GET", f"/accounts/{account}", deposit(bank.service, account))
    bank.kill(killed)
    failures = bank.failures()
    if "event_store" not in killed:  # whoever has nothing to do would not notice
        deposit(bank.service, account)

    with ExitStack() as stack:
        dead_ends = [stack.enter_context(DeadEnd(bank.servers[name].port)) for name in killed]
        begin, used = time.monotonic(), bank.processor_seconds()
        until(lambda: all_failed(bank.failures() - failures, 2), "failures of each subscription", 2 * SECONDS)
        lasted = time.monotonic() - begin
        share = (bank.processor_seconds() - used) / lasted
        often = max((bank.failures() - failures).values()) / lasted
        assert bank.tells_down(killed)

    for dead_end in dead_ends:
        assert dead_end.attempts >= 2
        assert dead_end.attempts_a_second < 20 * SUBSCRIPTIONS  # of these, a busy machine only makes less
    assert often < 1.0
    assert share < 0.5
    bank.restart(killed)
    until(bank.service.is_ready, "the bank to be ready again", SECONDS)
    position = deposit(bank.service, account)
    paid = 2 if "event_store" in killed else 3
    assert request(bank.service, "GET", f"/accounts/{account}", position).json()["balance"] == f"0.0{paid}"


def all_failed(failures: Counter[str], times: int) -> bool:
    return len(failures) == SUBSCRIPTIONS and min(failures.values()) >= times


def test_given_answers_that_get_lost_when_paying_in_then_each_payment_is_written_once(bank: Bank) -> None:
    account = open_account(bank.service)
    events = bank.servers["event_store"]
    assert isinstance(events, StandIn)

    for _ in range(5):
        events.tell("lose 1")
        position = deposit(bank.service, account, "1.00")

    balances = [line["balance_after"] for line in statement(bank.service, account, position)]
    assert balances == ["5.00", "4.00", "3.00", "2.00", "1.00"]
