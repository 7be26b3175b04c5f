"""Two processes on the same stores: each projection runs in one of them, and in the other when that one is gone."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployment.processes import ServiceProcess, serving, start, until
from tests.integration.test_openbank_process import deposit, open_account, request
from tests.support.engines import Backing

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("after_kills")]
LEASE_S = 1.0
SECONDS = 15.0


def states(bank: ServiceProcess) -> dict[str, Any]:
    """What each of its subscriptions is doing."""
    ready = httpx.get(f"{bank.url}/health/ready", verify=False).json()
    return {found["name"]: found["state"] for found in ready["subscriptions"]}


def works(bank: ServiceProcess) -> bool:
    return set(states(bank).values()) == {"live"}


def stands_by(bank: ServiceProcess) -> bool:
    return set(states(bank).values()) == {"standby"}


@contextmanager
def two_banks(folder: Path, backing: Backing) -> Iterator[tuple[ServiceProcess, ServiceProcess]]:
    """The first one works, the second one stands by."""
    environment = {"LEASE_SECONDS": str(LEASE_S), **backing.environment}
    with serving("openbank", folder, **environment) as first:
        until(lambda: works(first), "the first bank to work", SECONDS)
        second = start("openbank", folder / "second", **environment)
        try:
            second.wait_until_ready()
            until(lambda: stands_by(second), "the second bank to stand by", SECONDS)
            yield first, second
        finally:
            if second.process.poll() is None:
                second.terminate()


def test_given_two_processes_then_writes_to_either_are_shown_by_both(tmp_path: Path, backing: Backing) -> None:
    with two_banks(tmp_path, backing) as (first, second):
        account = open_account(first)
        for bank in (first, second, first, second):
            position = deposit(bank, account)
            for reader in (second, first):
                shown = request(reader, "GET", f"/accounts/{account}", position)
                assert int(shown.headers["x-read-model-position"]) >= int(position)
        assert shown.json()["balance"] == "0.04"
        assert (works(first), stands_by(second)) == (True, True)


def test_given_the_one_that_works_is_killed_then_the_other_takes_over(tmp_path: Path, backing: Backing) -> None:
    with two_banks(tmp_path, backing) as (first, second):
        account = open_account(first)
        deposit(first, account)
        first.kill()
        position = deposit(second, account)
        until(lambda: works(second), "the second bank to take over", LEASE_S * 5)
        assert request(second, "GET", f"/accounts/{account}", position).json()["balance"] == "0.02"


def test_given_the_one_that_works_is_paused_past_its_lease_when_it_wakes_then_it_writes_nothing(
    tmp_path: Path, backing: Backing
) -> None:
    with two_banks(tmp_path, backing) as (first, second):
        account = open_account(first)
        position = deposit(first, account)
        until(lambda: has_nothing_in_hand(first, position), "both read models to show it", SECONDS)
        pause(first, tmp_path)
        try:
            until(lambda: works(second), "the second bank to take over", LEASE_S * 5)
            for _ in range(5):
                position = deposit(second, account)
        finally:
            os.kill(first.process.pid, signal.SIGCONT)
        until(lambda: stands_by(first), "the first bank to stand by", SECONDS)
        position = deposit(first, account)
        for bank in (first, second):
            account_now = request(bank, "GET", f"/accounts/{account}", position).json()
            assert (account_now["balance"], account_now["version"]) == ("0.07", 7)
        assert works(second)


def has_nothing_in_hand(bank: ServiceProcess, position: str) -> bool:
    ready = httpx.get(f"{bank.url}/health/ready", verify=False).json()
    return all(found["position"] >= int(position) for found in ready["subscriptions"])


def pause(bank: ServiceProcess, folder: Path) -> None:
    """Stops a process where it holds no lock of a file: in the middle of a commit it would keep all from writing."""

    def holds_nothing() -> bool:
        os.kill(bank.process.pid, signal.SIGSTOP)
        try:
            for file in folder.glob("*.db"):
                with closing(sqlite3.connect(file, timeout=0.2, isolation_level=None)) as database:
                    database.execute("BEGIN IMMEDIATE")
                    database.execute("ROLLBACK")
        except sqlite3.OperationalError:
            os.kill(bank.process.pid, signal.SIGCONT)
            return False
        return True

    until(holds_nothing, "a moment without a lock", SECONDS)
