"""OpenBank as a process of its own: it starts, serves many at once, survives its death, and ends politely."""

import asyncio
import http.client
import json
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployment.processes import ServiceProcess, serving, start, until
from tests.support.engines import Backing
from tests.support.issuer import authorized

pytestmark = pytest.mark.integration
PERSON = {
    "first_name": "Ada",
    "last_name": "Lovelace",
    "nationality": "GB",
    "date_of_birth": "1990-12-10",
    "address": {"street": "x", "number": "1", "postal_code": "1", "city": "Berlin", "country": "DE"},
}


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory, shared_backing: Backing) -> Iterator[ServiceProcess]:
    """A bank that the tests of this module share; each opens its own account."""
    with serving("openbank", tmp_path_factory.mktemp("bank"), **shared_backing.environment) as service:
        yield service


def client_of(bank: ServiceProcess) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=f"{bank.url}/api/v1",
        timeout=30,
        verify=False,
        limits=httpx.Limits(max_connections=64, max_keepalive_connections=64),
        headers=authorized(),
    )


def request(bank: ServiceProcess, method: str, path: str, position: str | None = None, **more: Any) -> httpx.Response:
    """One request; a read waits for the event at `position`."""
    headers = {} if position is None else {"X-Wait-For-Position": position}
    with httpx.Client(base_url=f"{bank.url}/api/v1", verify=False, headers=authorized()) as http:
        return http.request(method, path, headers=headers, **more).raise_for_status()


def open_account(bank: ServiceProcess, **terms: str) -> str:
    owner = request(bank, "POST", "/persons", json=PERSON).json()["id"]
    return str(request(bank, "POST", "/accounts", json={"owner_id": owner, **terms}).json()["id"])


def statement(bank: ServiceProcess, account: str, position: str) -> list[dict[str, Any]]:
    """All lines of an account's statement, up to the event at this position at least."""
    lines: list[dict[str, Any]] = []
    parameters = {"limit": "200"}
    while True:
        page = request(bank, "GET", f"/accounts/{account}/transactions", position, params=parameters).json()
        lines += page["items"]
        if page["next_cursor"] is None:
            return lines
        parameters["cursor"] = page["next_cursor"]


def deposit(bank: ServiceProcess, account: str, amount: str = "0.01") -> str:
    """Pays money in. Returns the position of the event."""
    movement = {"account_id": account, "amount": amount}
    return request(bank, "POST", "/transactions/deposits", json=movement).headers["x-event-position"]


async def test_many_writers_on_one_account_lose_nothing(bank: ServiceProcess) -> None:
    account = open_account(bank, overdraft_limit="20.00")
    movements = [("deposits" if number % 2 else "withdrawals", Decimal(number % 7 + 1) / 4) for number in range(64 * 3)]

    async with client_of(bank) as http:

        async def move(kind: str, amount: Decimal) -> tuple[str, Decimal, httpx.Response]:
            body = {"account_id": account, "amount": f"{amount:.2f}"}
            return kind, amount, await http.post(f"/transactions/{kind}", json=body)

        outcomes = await asyncio.gather(*(move(kind, amount) for kind, amount in movements))

    done = [(kind, amount, answer) for kind, amount, answer in outcomes if answer.status_code == 201]
    assert {answer.status_code for *_, answer in outcomes} <= {201, 409, 422}
    assert len(done) > len(movements) // 2
    balance = sum((amount if kind == "deposits" else -amount for kind, amount, _ in done), Decimal(0))
    last = str(max(int(answer.headers["x-event-position"]) for *_, answer in done))
    shown = request(bank, "GET", f"/accounts/{account}", last).json()
    assert (shown["balance"], shown["version"]) == (f"{balance:.2f}", len(done))
    lines = statement(bank, account, last)
    assert {line["id"] for line in lines} == {answer.json()["id"] for *_, answer in done}
    after = Decimal(0)
    for line in reversed(lines):
        after += Decimal(line["amount"]) * (1 if line["type"] == "deposit" else -1)
        assert line["balance_after"] == f"{after:.2f}"
        assert after >= -20


async def test_a_body_in_chunks_without_a_length_is_limited(bank: ServiceProcess) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(48):
            yield b" " * 65_536

    async with client_of(bank) as http:
        answer = await http.post(
            "/transactions/deposits", content=chunks(), headers={"Content-Type": "application/json"}
        )

    assert (answer.status_code, answer.json()["title"]) == (413, "Too large")


@pytest.mark.parametrize(
    "path", ["/api/v1/accounts/../persons/x", "/api/v1/accounts/%2e%2e", "/api/v1/accounts/%00", "/api/v1/accounts/%ff"]
)
def test_odd_paths_are_404(bank: ServiceProcess, path: str) -> None:
    with socket.create_connection(("127.0.0.1", bank.port)) as connection:
        token = authorized()["Authorization"]
        told = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {token}\r\nConnection: close\r\n\r\n"
        connection.sendall(told.encode())
        answer = connection.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 404 ")
    assert b"application/problem+json" in answer


def test_what_is_no_http_harms_nobody(bank: ServiceProcess) -> None:
    for request in (
        b"\x16\x03\x01\x02",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", bank.port)) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            connection.makefile("rb").read()

    assert bank.is_ready()


def test_its_output_is_json_lines_with_correlation_ids(bank: ServiceProcess) -> None:
    for path, status in (("/api/v1/persons", 200), ("/nothing", 404)):
        headers = {"X-Correlation-ID": f"log{status}", **authorized()}
        answer = httpx.get(f"{bank.url}{path}", headers=headers, verify=False)
        assert answer.status_code == status

    def logged() -> bool:
        return {"log200", "log404"} <= {line.get("correlation_id") for line in bank.lines}

    until(logged, "both lines", 5)
    assert all({"time", "level", "logger", "message"} <= set(line) for line in bank.lines)
    assert bank.stderr.read_bytes() == b""


def test_when_told_to_end_then_it_finishes_what_is_in_hand_and_keeps_everything(
    tmp_path: Path, backing: Backing
) -> None:
    with serving("openbank", tmp_path, **backing.environment) as bank:
        account = open_account(bank, overdraft_limit="10")
        body = json.dumps({"account_id": account, "amount": "5"}).encode()
        with socket.create_connection(("127.0.0.1", bank.port)) as connection:
            token = authorized()["Authorization"].encode()
            connection.sendall(
                b"POST /api/v1/transactions/deposits HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                b"Authorization: %s\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n" % (token, len(body))
            )
            answer = connection.makefile("rb")
            assert answer.readline() == b"HTTP/1.1 100 Continue\r\n"  # it is being handled: the body is awaited
            position = deposit(bank, account, "1")
            paths = ["/persons", "/accounts", f"/accounts/{account}/transactions", f"/accounts/{account}/events"]
            before = [request(bank, "GET", path, position).json()["items"] for path in paths]

            bank.process.terminate()
            until(lambda: not bank.accepts_connections(), "the port to be closed", 5)
            connection.sendall(body)

            assert answer.readline() == b"\r\n"
            assert answer.readline().startswith(b"HTTP/1.1 201 ")
            last = http.client.parse_headers(answer)["x-event-position"]
        assert bank.wait() in {0, -signal.SIGTERM}
        messages = [line["message"] for line in bank.lines]
        assert messages.index("stopping") > messages.index("started")
        assert not [line for line in bank.lines if line["level"] in {"ERROR", "CRITICAL"}]

    with serving("openbank", tmp_path, **backing.environment) as bank:
        persons, accounts, lines, events = (request(bank, "GET", path, last).json()["items"] for path in paths)
        assert persons == before[0]
        assert accounts == [before[1][0] | {"balance": "6.00", "available": "16.00", "version": 2}]
        assert lines[1:] == before[2]
        assert events[:-1] == before[3]
        assert int(deposit(bank, account)) > int(last)


@pytest.mark.usefixtures("after_kills")
async def test_when_it_is_killed_then_every_acknowledged_deposit_is_kept(tmp_path: Path, backing: Backing) -> None:
    acknowledged: dict[str, str] = {}
    enough = asyncio.Event()

    with serving("openbank", tmp_path, **backing.environment) as bank:
        accounts = [open_account(bank) for _ in range(4)]

        async def deposit_for_ever(http: httpx.AsyncClient, account: str) -> None:
            while True:
                try:
                    answer = await http.post("/transactions/deposits", json={"account_id": account, "amount": "1"})
                except httpx.TransportError:
                    return
                if answer.status_code == 201:
                    acknowledged[answer.json()["id"]] = account
                if len(acknowledged) >= 200:
                    enough.set()

        async with client_of(bank) as http, asyncio.TaskGroup() as writers:
            for number in range(16):
                writers.create_task(deposit_for_ever(http, accounts[number % 4]))
            await enough.wait()
            bank.kill()

    with serving("openbank", tmp_path, **backing.environment) as bank:
        for account in accounts:
            position = deposit(bank, account)
            lines = statement(bank, account, position)
            kept = {line["id"] for line in lines}
            assert {id_ for id_, owner in acknowledged.items() if owner == account} <= kept
            assert len(kept) == len(lines)
            balance = sum(Decimal(line["amount"]) for line in lines)
            assert request(bank, "GET", f"/accounts/{account}", position).json()["balance"] == f"{balance:.2f}"


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("PORT", "http", "openbank cannot start: PORT: Input should be a valid integer"),
        ("EVENT_STORE_URL", "carrier-pigeon://loft", "EVENT_STORE_URL"),
    ],
)
def test_a_bad_setting_ends_the_start_with_a_word_on_what_is_wrong(
    tmp_path: Path, variable: str, value: str, told: str
) -> None:
    bank = start("openbank", tmp_path, **{variable: value})

    assert bank.wait() not in {0, -signal.SIGTERM}
    assert told in bank.stdout.read_text() + bank.stderr.read_text()


def test_a_port_that_is_taken_ends_the_start(bank: ServiceProcess, tmp_path: Path) -> None:
    second = start("openbank", tmp_path, PORT=str(bank.port))

    assert second.wait() not in {0, -signal.SIGTERM}
    assert "address already in use" in second.stdout.read_text()
    assert bank.is_ready()
