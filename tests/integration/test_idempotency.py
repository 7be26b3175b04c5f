"""kill -9 under load, and every request sent again with its key until it is answered: each takes effect once."""

import asyncio
import random
from pathlib import Path

import httpx
import pytest

from deployment.processes import ServiceProcess, serving, until
from tests.integration.test_kill import everything, open_accounts
from tests.support.engines import Backing
from tests.support.issuer import authorized

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("after_kills")]
WRITERS = 8
KILLS = 6


class Payer:
    """Sends deposits, one after the other, each until it is answered."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.answers: dict[str, object] = {}
        self._number = 0

    async def pay(self, http: httpx.AsyncClient, account: str, *, at_most: int | None = None) -> None:
        """Goes on until the bank is gone, or so many are answered."""
        while at_most is None or len(self.answers) < at_most:
            key = f"{self.name}-{self._number}"
            body = {"account_id": account, "amount": "1.00", "reference": key}
            try:
                answer = await http.post("/transactions/deposits", json=body, headers={"Idempotency-Key": key})
            except httpx.TransportError:
                return
            assert answer.status_code in {201, 409}, answer.text
            if answer.status_code == 201:
                self.answers[key] = answer.json()
                self._number += 1


def all_is_shown(bank: ServiceProcess) -> bool:
    ready = httpx.get(f"{bank.url}/health/ready", verify=False).json()
    return all(subscription["lag"] == 0 for subscription in ready["subscriptions"])


async def test_given_random_kills_when_requests_are_sent_again_then_each_takes_effect_once(
    tmp_path: Path, backing: Backing
) -> None:
    payers, accounts = [Payer(f"payer {number}") for number in range(WRITERS)], list[str]()
    for life in range(KILLS + 1):
        with serving("openbank", tmp_path, LEASE_SECONDS="0.3", **backing.environment) as bank:
            async with httpx.AsyncClient(
                base_url=f"{bank.url}/api/v1", timeout=30, verify=False, headers=authorized()
            ) as http:
                accounts = accounts or await open_accounts(http, WRITERS // 2)
                last = life == KILLS
                load = [
                    asyncio.create_task(
                        payer.pay(http, accounts[i % len(accounts)], at_most=len(payer.answers) + 2 if last else None)
                    )
                    for i, payer in enumerate(payers)
                ]
                await asyncio.wait(load, timeout=None if last else random.uniform(0.05, 0.4))
                if not last:
                    bank.kill()
                await asyncio.gather(*load)
                if last:
                    until(lambda: all_is_shown(bank), "the read models", 10)
                    shown = everything(bank)

    told = {key: answer for payer in payers for key, answer in payer.answers.items()}
    kept = [line["reference"] for line in shown["statements"]]
    assert len(told) > KILLS
    assert sorted(kept) == sorted(told)
    assert {line["reference"]: line["id"] for line in shown["statements"]} == {
        key: answer["id"]  # type: ignore[index]
        for key, answer in told.items()
    }
