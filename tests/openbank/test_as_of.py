"""An account as it was, from its events."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from neuroglia.core import Clock
from neuroglia.testing import FixedClock, RunningService, running
from openbank.domain.models.person import Person
from tests.openbank.builders import registered
from tests.openbank.conftest import builder_on
from tests.support.engines import Backing

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]
HOUR = timedelta(hours=1)


@pytest.fixture(scope="module")
def clock(shared_backing: Backing) -> FixedClock:
    return FixedClock()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bank(clock: FixedClock, shared_backing: Backing) -> AsyncIterator[RunningService]:
    builder = builder_on(shared_backing)
    builder.services.add_instance(Clock, clock)
    async with running(builder.build()) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def account(bank: RunningService, clock: FixedClock) -> str:
    """Opened at 9:30, 100.00 deposited at 10:30, 30.00 withdrawn and frozen at 11:30."""
    await bank.given(Person, "ada", registered())
    path = (
        (await bank.when("POST", "/api/v1/accounts", json={"owner_id": "ada"})).then(201).response.headers["location"]
    )
    id = path.rpartition("/")[2]
    clock.advance(HOUR)
    (await bank.when("POST", "/api/v1/transactions/deposits", json={"account_id": id, "amount": "100"})).then(201)
    clock.advance(HOUR)
    (await bank.when("POST", "/api/v1/transactions/withdrawals", json={"account_id": id, "amount": "30"})).then(201)
    (await bank.when("POST", f"{path}/freeze")).then(200)
    clock.advance(HOUR)
    return path


@pytest.mark.parametrize(
    ("moment", "balance", "status", "version"),
    [
        ("2025-01-31T09:30:00Z", "0.00", "open", 0),
        ("2025-01-31T10:29:59.999999Z", "0.00", "open", 0),
        ("2025-01-31T10:30:00Z", "100.00", "open", 1),
        ("2025-01-31T12:30:00+02:00", "100.00", "open", 1),
        ("2025-01-31T11:30:00Z", "70.00", "frozen", 3),
        ("2999-01-01T00:00:00Z", "70.00", "frozen", 3),
    ],
)
async def test_it_is_shown_as_it_was(
    bank: RunningService, account: str, moment: str, balance: str, status: str, version: int
) -> None:
    answer = await bank.when("GET", account, params={"as_of": moment})

    answer.then(200, {"balance": balance, "status": status, "version": version, "owner_name": "Ada Lovelace"})


async def test_before_it_was_opened_there_is_nothing(bank: RunningService, account: str) -> None:
    (await bank.when("GET", account, params={"as_of": "2025-01-31T09:29:59Z"})).then_refused(404, "not-found")


@pytest.mark.parametrize("moment", ["yesterday", "2025-01-31", "2025-01-31T09:30:00", "1738315800", ""])
async def test_what_names_no_instant_is_refused(bank: RunningService, account: str, moment: str) -> None:
    (await bank.when("GET", account, params={"as_of": moment})).then_refused(422, "invalid-request")
