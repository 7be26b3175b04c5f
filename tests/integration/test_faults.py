"""The disk is full, read-only, locked or damaged: clear errors, nothing half done, readiness tells, and it goes on."""

import json
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployment.processes import ServiceProcess, serving, start, until
from tests.integration.test_openbank_process import deposit, open_account, request, statement
from tests.support.issuer import authorized

pytestmark = pytest.mark.integration
SECONDS = 60.0


@contextmanager
def small_disk(folder: Path, *options: str) -> Iterator[Path]:
    """A file system of its own, of eight megabytes."""
    mount = ["mount", "-t", "tmpfs", "-o", ",".join(["size=8m", *options]), "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def readiness(bank: ServiceProcess) -> tuple[int, dict[str, Any]]:
    answer = httpx.get(f"{bank.url}/health/ready", verify=False)
    return answer.status_code, answer.json()


def try_deposit(bank: ServiceProcess, account: str) -> httpx.Response:
    body = {"account_id": account, "amount": "0.01", "reference": "x" * 140}
    return httpx.post(
        f"{bank.url}/api/v1/transactions/deposits", json=body, headers=authorized(), verify=False, timeout=30
    )


def require_unavailable(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:neuroglia:openbank:unavailable")
    assert int(answer.headers["retry-after"]) >= 1
    assert "events.db" in answer.json()["detail"]
    assert "/" not in answer.json()["detail"], "where it is, is nobody's business"


def test_given_a_full_disk_then_writes_are_refused_whole_and_once_there_is_room_it_goes_on(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with small_disk(data), serving("openbank", tmp_path / "logs", DATA_DIR=str(data)) as bank:
        account = open_account(bank)
        (data / "ballast").write_bytes(b"x" * 6_000_000)
        accepted = 0
        while (answer := try_deposit(bank, account)).status_code == 201:
            accepted += 1
        require_unavailable(answer)
        status, ready = readiness(bank)
        assert (status, ready["status"]) == (503, "unavailable")
        assert {"name": "event_store", "state": "down"} in ready["services"]
        assert httpx.get(f"{bank.url}/health/live", verify=False).status_code == 200

        (data / "ballast").unlink()
        until(lambda: readiness(bank)[0] == 200, "the bank to be ready again", SECONDS)
        position = deposit(bank, account)
        lines = statement(bank, account, position)
        assert [Decimal(line["balance_after"]) * 100 for line in lines] == list(range(accepted + 1, 0, -1))
        assert request(bank, "GET", f"/accounts/{account}", position).json()["version"] == accepted + 1


def test_given_a_read_only_disk_then_the_start_is_refused_and_names_the_file(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with small_disk(data, "ro"):
        bank = start("openbank", tmp_path / "logs", DATA_DIR=str(data))
        assert bank.wait() != 0
        assert re.search(r"events\.db does not work: SQLITE_(CANTOPEN|READONLY)", bank.output())
        assert f"The file is {data}/events.db." in bank.output()


def test_given_files_that_another_holds_locked_then_writes_are_refused_and_reads_go_on(tmp_path: Path) -> None:
    with serving("openbank", tmp_path) as bank:
        account = open_account(bank)
        position = deposit(bank, account)
        request(bank, "GET", f"/accounts/{account}", position)
        with closing(sqlite3.connect(tmp_path / "events.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            require_unavailable(try_deposit(bank, account))
            assert request(bank, "GET", f"/accounts/{account}").json()["balance"] == "0.01"
            status, ready = readiness(bank)
            assert (status, ready["status"]) == (503, "unavailable")
            other.execute("ROLLBACK")
        until(lambda: readiness(bank)[0] == 200, "the bank to be ready again", SECONDS)
        position = deposit(bank, account)
        assert request(bank, "GET", f"/accounts/{account}", position).json()["balance"] == "0.02"


def test_given_documents_that_another_holds_locked_then_views_stand_still_and_afterwards_show_all(
    tmp_path: Path,
) -> None:
    with serving("openbank", tmp_path) as bank:
        account = open_account(bank)
        position = deposit(bank, account)
        request(bank, "GET", f"/accounts/{account}", position)
        with closing(sqlite3.connect(tmp_path / "documents.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            accepted = [try_deposit(bank, account) for _ in range(3)]
            assert {answer.status_code for answer in accepted} == {201}, "the log takes them"
            assert request(bank, "GET", f"/accounts/{account}").json()["balance"] == "0.01"
            until(lambda: "document_store" in troubles(bank), "readiness to tell", SECONDS)
            keyed = httpx.post(
                f"{bank.url}/api/v1/transactions/deposits", json={"account_id": account, "amount": "0.01"},
                headers={**authorized(), "Idempotency-Key": "k"}, verify=False, timeout=60,
            )  # fmt: skip
            assert (keyed.status_code, keyed.json()["type"]) == (503, "urn:neuroglia:openbank:unavailable")
            assert "documents.db" in keyed.json()["detail"]
            other.execute("ROLLBACK")
        until(lambda: readiness(bank)[1]["status"] == "ready", "the bank to be ready again", SECONDS)
        shown = request(bank, "GET", f"/accounts/{account}", accepted[-1].headers["x-event-position"]).json()
        assert (shown["balance"], shown["version"]) == ("0.04", 4), "what was refused was not done"


def troubles(bank: ServiceProcess) -> str:
    """What readiness has against the bank; nothing while it is ready."""
    status, ready = readiness(bank)
    down = [found["name"] for found in ready["services"] if found["state"] != "up"]
    return "" if status == 200 else " ".join(down)


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param("UPDATE snapshots SET body = 'no JSON'", id="no JSON"),
        pytest.param("UPDATE snapshots SET body = json_set(body, '$.state', '{}')", id="nothing in it"),
        pytest.param("UPDATE snapshots SET body = json_set(body, '$.state', '{\"balance\": 1e400}')", id="infinite"),
        pytest.param("UPDATE snapshots SET body = json_set(body, '$.shape', 'another')", id="of another shape"),
        pytest.param("UPDATE snapshots SET body = json_set(body, '$.event_id', 'nowhere')", id="behind no event"),
    ],
)
def test_given_a_damaged_snapshot_then_a_start_does_without_it_and_the_next_one_replaces_it(
    tmp_path: Path, damage: str
) -> None:
    with serving("openbank", tmp_path) as bank:
        account = open_account(bank)
        for _ in range(100):
            deposit(bank, account)
        until(lambda: snapshots(tmp_path) != [], "a snapshot", SECONDS)
        (whole,) = snapshots(tmp_path)
    with closing(sqlite3.connect(tmp_path / "documents.db", isolation_level=None)) as database:
        assert database.execute(damage).rowcount == 1

    with serving("openbank", tmp_path) as bank:
        for _ in range(100):
            position = deposit(bank, account)
        shown = request(bank, "GET", f"/accounts/{account}", position).json()
        assert (shown["balance"], shown["version"]) == ("2.00", 200)
        until(lambda: len(snapshots(tmp_path)) == 1, "a snapshot in its place", SECONDS)
        (replaced,) = snapshots(tmp_path)
        assert replaced != whole
        assert all(name in replaced for name in ("event_id", "shape", "state"))


def snapshots(folder: Path) -> list[dict[str, Any]]:
    """Those that can be read."""
    with closing(sqlite3.connect(folder / "documents.db")) as database:
        return [json.loads(body) for (body,) in database.execute("SELECT body FROM snapshots WHERE json_valid(body)")]


@pytest.mark.parametrize("file", ["events", "documents"])
@pytest.mark.parametrize("left", [0, 0.3, 0.77, 0.98])
def test_given_a_write_ahead_log_that_is_cut_then_what_is_left_of_it_is_whole(
    tmp_path: Path, file: str, left: float
) -> None:
    """The last transactions are lost with the bytes, which no database can help; but none of them by half."""
    with serving("openbank", tmp_path, LEASE_SECONDS="0.3") as bank:
        account = open_account(bank)
        for _ in range(30):
            position = deposit(bank, account)
        request(bank, "GET", f"/accounts/{account}", position)
        bank.kill()
    log = tmp_path / f"{file}.db-wal"
    size = log.stat().st_size
    assert size > 50_000
    with log.open("r+b") as cut:
        cut.truncate(int(size * left))

    bank = start("openbank", tmp_path, LEASE_SECONDS="0.3")
    try:
        until(lambda: settled(bank), "the bank to be settled", SECONDS)
        with closing(sqlite3.connect(tmp_path / f"{file}.db")) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            if file == "events":
                rows = database.execute("SELECT stream, count(*), max(revision) FROM events GROUP BY stream").fetchall()
                assert all(count == last + 1 for _, count, last in rows)
        _, ready = readiness(bank)
        if file == "documents":  # built again from the events
            assert ready["status"] == "ready"
            shown = request(bank, "GET", f"/accounts/{account}", position).json()
            assert (shown["balance"], shown["version"]) == ("0.30", 30)
            assert len(statement(bank, account, position)) == 30
        else:  # the read models show what is lost, and readiness says so
            assert ready["status"] == "degraded"
            errors = {found["name"]: found["error"] for found in ready["subscriptions"]}
            assert {errors[name] for name in ("AccountProjection", "StatementProjection")} == {"LogBehindCheckpoint"}
            assert set(errors.values()) <= {"LogBehindCheckpoint", None}  # a reaction's checkpoint may lie before it
    finally:
        bank.terminate()


def settled(bank: ServiceProcess) -> bool:
    """Whether its subscriptions have caught up, or have found out why they cannot."""
    try:
        subscriptions = readiness(bank)[1]["subscriptions"]
    except httpx.TransportError:
        return False
    return all(found["error"] or (found["state"] == "live" and found["lag"] == 0) for found in subscriptions)
