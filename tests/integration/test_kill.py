"""kill -9 at random moments under load: what was acknowledged is there, and all views agree with the events."""

import asyncio
import os
import random
import sqlite3
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployment.processes import ServiceProcess, serving
from tests.integration.test_openbank_process import PERSON
from tests.support.engines import Backing, Engine
from tests.support.issuer import authorized

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("after_kills")]
WRITERS = 8


class Ledger:
    """What the writers were told: the movements that the bank has acknowledged, by their reference."""

    def __init__(self) -> None:
        self.acknowledged: dict[str, str] = {}
        self.sent = 0

    async def write(self, http: httpx.AsyncClient, account: str) -> None:
        """Pays in, again and again, until the bank is gone."""
        while True:
            self.sent += 1
            reference = f"movement {self.sent}"
            body = {"account_id": account, "amount": "1.00", "reference": reference}
            try:
                answer = await http.post("/transactions/deposits", json=body)
            except httpx.TransportError:
                return
            assert answer.status_code in {201, 409}, answer.text
            if answer.status_code == 201:
                self.acknowledged[reference] = account


async def open_accounts(http: httpx.AsyncClient, count: int) -> list[str]:
    owner = (await http.post("/persons", json=PERSON)).raise_for_status().json()["id"]
    return [
        (await http.post("/accounts", json={"owner_id": owner})).raise_for_status().json()["id"] for _ in range(count)
    ]


async def kill_under_load(
    folder: Path, backing: Backing, ledger: Ledger, accounts: list[str], moment: float
) -> list[str]:
    """One life of the bank: a load on all accounts, and its end after so many seconds of it."""
    with serving("openbank", folder, LEASE_SECONDS="0.3", **backing.environment) as bank:
        async with httpx.AsyncClient(
            base_url=f"{bank.url}/api/v1", timeout=30, verify=False, headers=authorized()
        ) as http:
            accounts = accounts or await open_accounts(http, WRITERS // 2)
            load = [asyncio.create_task(ledger.write(http, accounts[i % len(accounts)])) for i in range(WRITERS)]
            await asyncio.wait(load, timeout=moment)
            bank.kill()
            await asyncio.gather(*load)
    return accounts


def everything(bank: ServiceProcess) -> dict[str, list[Any]]:
    """All that the read models show, list by list."""
    with httpx.Client(base_url=f"{bank.url}/api/v1", verify=False, headers=authorized()) as http:

        def items(path: str) -> list[Any]:
            found: list[Any] = []
            parameters = {"limit": "200"}
            while True:
                page = http.get(path, params=parameters).raise_for_status().json()
                found += page["items"]
                if page["next_cursor"] is None:
                    return found
                parameters["cursor"] = page["next_cursor"]

        accounts = items("/accounts")
        statements = [line for account in accounts for line in items(f"/accounts/{account['id']}/transactions")]
        return {"persons": items("/persons"), "accounts": accounts, "statements": statements}


def check(file: Path) -> str:
    """What SQLite finds in a file."""
    with closing(sqlite3.connect(file)) as database:
        (found,) = database.execute("PRAGMA integrity_check").fetchone()
        return str(found)


def rebuild(folder: Path, backing: Backing, engine: Engine) -> dict[str, list[Any]]:
    """What the read models show when they are built from the events alone."""
    folder.mkdir()
    with engine(folder) as empty:
        rebuilt = replace(backing, document_store_url=empty.document_store_url)
        with serving("openbank", folder, **rebuilt.environment) as bank:
            return everything(bank)


@pytest.mark.parametrize("kills", [pytest.param(20, id="20"), pytest.param(200, id="200", marks=pytest.mark.torture)])
async def test_given_random_kills_then_nothing_acknowledged_is_lost(
    tmp_path: Path, backing: Backing, engine: Engine, kills: int
) -> None:
    seed = int(os.environ.get("KILL_SEED", random.randrange(10**6)))  # a failure tells the seed in its output
    print("KILL_SEED", seed)  # noqa: T201
    moments = random.Random(seed)
    ledger, accounts = Ledger(), list[str]()
    for _ in range(kills):
        accounts = await kill_under_load(tmp_path, backing, ledger, accounts, moments.uniform(0.02, 0.4))

    assert {check(file) for file in tmp_path.glob("*.db")} <= {"ok"}  # noqa: ASYNC240
    with serving("openbank", tmp_path, LEASE_SECONDS="0.3", **backing.environment) as bank:
        shown = everything(bank)
    kept = {line["reference"]: line["account_id"] for line in shown["statements"]}
    assert len(ledger.acknowledged) > kills
    assert ledger.acknowledged.items() <= kept.items()
    for account in shown["accounts"]:
        lines = [line for line in shown["statements"] if line["account_id"] == account["id"]]
        assert Decimal(account["balance"]) == sum(Decimal(line["amount"]) for line in lines)
        assert account["version"] == len(lines)

    assert rebuild(tmp_path / "rebuilt", backing, engine) == shown
