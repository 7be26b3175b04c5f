"""Two processes on the same stores: each projection runs in one of them, and in the other when that one is gone."""

import os
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployment.processes import ServiceProcess, serving, start, until
from tests.integration.test_openbank_process import deposit, open_account, request
from tests.support.engines import Backing
from tests.support.issuer import authorized

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("after_kills")]
ROOT = Path(__file__).parents[2]
LEASE_S = 3.0
"""So long that who lives keeps it, however busy the machine is."""
SECONDS = 60.0


def states(bank: ServiceProcess) -> dict[str, Any]:
    """What each of its subscriptions is doing."""
    ready = httpx.get(f"{bank.url}/health/ready", verify=False).json()
    return {found["name"]: found["state"] for found in ready["subscriptions"]}


def works(bank: ServiceProcess) -> bool:
    return set(states(bank).values()) == {"live"}


def stands_by(bank: ServiceProcess) -> bool:
    return set(states(bank).values()) == {"standby"}


@contextmanager
def two_of(module: str, folder: Path, backing: Backing, **more: str) -> Iterator[tuple[ServiceProcess, ServiceProcess]]:
    """The first one works, the second one stands by."""
    environment = {"LEASE_SECONDS": str(LEASE_S), **backing.environment, **more}
    with serving(module, folder, within=SECONDS, **environment) as first:
        until(lambda: works(first), "the first one to work", SECONDS)
        second = start(module, folder / "second", **environment)
        try:
            second.wait_until_ready(SECONDS)
            until(lambda: stands_by(second), "the second one to stand by", SECONDS)
            yield first, second
        finally:
            if second.process.poll() is None:
                second.terminate()


def two_banks(folder: Path, backing: Backing) -> AbstractContextManager[tuple[ServiceProcess, ServiceProcess]]:
    return two_of("openbank", folder, backing)


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


class Cup:
    """What a fragile service shows of a cup, asked of one of its processes."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._id = http.post("/cups").raise_for_status().json()["id"]
        self._fillings = 1

    def fill(self) -> None:
        self._http.post(f"/cups/{self._id}/fillings").raise_for_status()
        self._fillings += 1

    def is_counted_once(self) -> bool:
        """Whether the read model and the reaction have counted each filling, and each once."""
        shown, praised = self._http.get(f"/cups/{self._id}").json(), self._http.get(f"/cups/{self._id}/praise").json()
        return (shown.get("fillings"), praised.get("count")) == (self._fillings, self._fillings)


@pytest.mark.parametrize("bed", ["projection", "reaction"])
def test_given_one_that_falls_asleep_in_the_midst_of_a_handler_when_it_wakes_then_that_event_counts_once(
    tmp_path: Path, backing: Backing, bed: str
) -> None:
    app, beds = "tests.integration.apps.fragile", tmp_path / "beds"
    beds.mkdir()
    with (
        two_of(app, tmp_path, backing, PYTHONPATH=str(ROOT), BEDS=str(beds)) as (first, second),
        httpx.Client(base_url=f"{second.url}/api/v1", verify=False, headers=authorized(), timeout=60) as http,
    ):
        cup = Cup(http)

        def sleeps() -> bool:
            until(cup.is_counted_once, "both to have counted", SECONDS)
            (beds / bed).touch()
            cup.fill()
            until(lambda: is_stopped(first), "the first one to fall asleep", SECONDS)
            if locks_nothing(tmp_path):
                return True
            os.kill(first.process.pid, signal.SIGCONT)  # another task of it was in the midst of a commit
            return False

        until(sleeps, "a sleep without a lock", SECONDS)
        try:
            until(lambda: works(second), "the second one to take over", LEASE_S * 5)
            until(cup.is_counted_once, "the second one to do it all", SECONDS)
        finally:
            os.kill(first.process.pid, signal.SIGCONT)
        until(lambda: stands_by(first), "the first one to stand by", SECONDS)
        assert cup.is_counted_once()
        cup.fill()
        until(cup.is_counted_once, "each to be counted once", SECONDS)
        assert works(second)


def is_stopped(service: ServiceProcess) -> bool:
    """See proc(5), `stat`."""
    return Path(f"/proc/{service.process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def has_nothing_in_hand(bank: ServiceProcess, position: str) -> bool:
    ready = httpx.get(f"{bank.url}/health/ready", verify=False).json()
    return all(found["position"] >= int(position) for found in ready["subscriptions"])


def pause(bank: ServiceProcess, folder: Path) -> None:
    """Stops a process where it holds no lock of a file: in the middle of a commit it would keep all from writing."""

    def holds_nothing() -> bool:
        os.kill(bank.process.pid, signal.SIGSTOP)
        if locks_nothing(folder):
            return True
        os.kill(bank.process.pid, signal.SIGCONT)
        return False

    until(holds_nothing, "a moment without a lock", SECONDS)


def locks_nothing(folder: Path) -> bool:
    """Whether the files in a folder can be written."""
    try:
        for file in folder.glob("*.db"):
            with closing(sqlite3.connect(file, timeout=0.2, isolation_level=None)) as database:
                database.execute("BEGIN IMMEDIATE")
                database.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    return True
