"""A log that has lost its last events: what the framework's page says to remove is removed, and all is right again."""

import re
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pymongo
import pytest

from neuroglia.core import SystemClock, SystemIds
from neuroglia.event_sourcing import EventMetadata, EventStore, NewEvent
from neuroglia.testing import RunningService, running
from openbank.domain.models.bank_account import BankAccount
from tests.openbank.builders import given_account, opened
from tests.openbank.conftest import builder_on
from tests.openbank.conservation import money_is_conserved
from tests.openbank.test_publications import inbox_is_done
from tests.support.engines import DURABLE, Backing
from tests.support.eventstoredb.process import StandIn
from tests.support.mongo import MongoServer
from tests.support.waiting import eventually

pytestmark = pytest.mark.service

PAGE = Path(__file__).parents[2] / "framework/README.md"
API = "/api/v1"
READ_MODELS = ["accounts", "account_transfers", "persons", "transactions", "transfers"]


class Stores:
    """Backing services, of which an older copy of the log can be put back while nobody uses them."""

    def __init__(self, backing: Backing, log: Path, server: StandIn | None = None) -> None:
        self.backing = backing
        self._log, self._copy, self._server = log, log.with_name("copy"), server

    def copy_log(self) -> None:
        self._move(self._log, self._copy)

    def put_copy_back(self) -> None:
        self._move(self._copy, self._log)

    def _move(self, source: Path, target: Path) -> None:
        if self._server is None:  # there may be a write-ahead log beside the file
            with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
                one.backup(other)
        else:
            self._server.kill()
            shutil.copy(source, target)
            self._server.start()

    def remove(self, collections: Iterable[str], parked_of: Iterable[str]) -> None:
        """What an operator does by hand."""
        url = self.backing.document_store_url
        if url.startswith("sqlite:///"):
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as database:
                for name in collections:
                    database.execute(f'DROP TABLE IF EXISTS "{name}"')
                for queue in parked_of:
                    database.execute("DELETE FROM work_items WHERE json_extract(body, '$.queue') = ?", (queue,))
        else:
            with pymongo.MongoClient[dict[str, object]](url) as client:
                for name in collections:
                    client.get_default_database().drop_collection(name)
                for queue in parked_of:
                    client.get_default_database()["work_items"].delete_many({"f.queue": queue})


@pytest.fixture(params=DURABLE)
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stores]:
    if request.param == "embedded":
        log = tmp_path / "events.db"
        yield Stores(Backing(f"sqlite:///{log}", f"sqlite:///{tmp_path}/documents.db"), log)
    else:
        mongo: MongoServer = request.getfixturevalue("mongo")
        server = StandIn(tmp_path / "log").start()
        try:
            yield Stores(Backing(server.url, mongo.url(tmp_path)), tmp_path / "log", server)
        finally:
            server.kill()


async def bring_interest(bank: RunningService, id: str) -> None:
    """Another service tells of it; returns when it is credited, if it is new."""
    event = {
        "specversion": "1.0", "id": id, "source": "/interest", "type": "io.openbank.interest-due.v1",
        "data": {"account_id": "a", "amount": "5.00"},
    }  # fmt: skip
    headers = {"content-type": "application/cloudevents+json"}
    (await bank.when("POST", f"{API}/cloudevents", json=event, headers=headers)).then(202)
    await eventually(lambda: inbox_is_done(bank))
    await bank.settle()


async def deposit(bank: RunningService, key: str) -> None:
    body, headers = {"account_id": "a", "amount": "100.00", "reference": ""}, {"Idempotency-Key": key}
    (await bank.when("POST", f"{API}/transactions/deposits", json=body, headers=headers)).then(201)


async def happen_wrongly(bank: RunningService) -> None:
    """Somebody else has written an event that nobody can read: it is parked."""
    metadata = EventMetadata(recorded_at=SystemClock().now(), correlation_id="raw", causation_id=None, actor="x")
    wrong = NewEvent(id=SystemIds().new(), type="openbank.account-opened.v1", data=b"{}", metadata=metadata)
    await (await bank.services.get(EventStore)).append("bank_account-wrong", [wrong], -1)
    await bank.settle()
    assert (await bank.when("GET", f"{API}/operations/parked")).body["items"]


async def rebuild(bank: RunningService, name: str) -> None:
    (await bank.when("POST", f"{API}/operations/subscriptions/{name}/rebuild")).then(202)

    async def is_rebuilt() -> bool:
        return all(one["rebuilt"] is None for one in await subscriptions(bank))

    await eventually(is_rebuilt)


async def subscriptions(bank: RunningService) -> list[dict[str, Any]]:
    return list((await bank.when("GET", f"{API}/operations/subscriptions")).then(200).body["items"])


async def shown(bank: RunningService) -> dict[str, Any]:
    await bank.settle()
    paths = "/accounts/a", "/accounts/a/transactions", "/accounts/b", "/persons/ada", "/transfers", "/operations/parked"
    return {path: (await bank.when("GET", API + path)).then(200).body for path in paths}


async def test_given_an_older_log_when_what_follows_from_it_is_removed_then_all_is_right_and_nothing_comes_twice(
    stores: Stores,
) -> None:
    async with running(builder_on(stores.backing).build()) as bank:
        await given_account(bank)
        await bank.given(BankAccount, "b", opened())
        await deposit(bank, "once")
        await bring_interest(bank, "first")
        transfer = {"from_account_id": "a", "to_account_id": "b", "amount": "30.00", "reference": ""}
        (await bank.when("POST", f"{API}/transfers", json=transfer, headers={"Prefer": "wait=10"})).then(200)
        await rebuild(bank, "AccountProjection")
        before = await shown(bank)
        names = [one["name"] for one in await subscriptions(bank)]
    stores.copy_log()
    async with running(builder_on(stores.backing).build()) as bank:
        await bring_interest(bank, "second")
        await happen_wrongly(bank)
    stores.put_copy_back()

    rows = re.findall(r"^\| remove \| ([^|]+)", PAGE.read_text(), re.MULTILINE)
    told = set(re.findall(r"`([a-z_]+)`", "".join(rows))) - {"tallies", "work_items", "queue"}
    stores.remove(
        [name + later for name in (*told, *READ_MODELS) for later in ("", "__2")],
        [name + generation for name in names for generation in ("", "@1", "@2")],
    )

    async with running(builder_on(stores.backing).build()) as bank:
        assert await shown(bank) == before
        await deposit(bank, "once")
        for id in ("first", "second"):
            await bring_interest(bank, id)
        assert await shown(bank) == before
        await deposit(bank, "another")
        (await bank.when("GET", f"{API}/accounts/a")).then(200, {"balance": "175.00"})
        found = await subscriptions(bank)
        assert {(one["error"], one["lag"], one["parked"]) for one in found} == {(None, 0, 0)}
        assert (await money_is_conserved(bank)).total() == 1
