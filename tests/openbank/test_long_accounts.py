"""An account with a long history: it stands on a snapshot, and nobody sees a difference."""

from collections.abc import Callable

import pytest

from neuroglia.documents import DocumentStore
from neuroglia.event_sourcing import Batch, EventStore
from neuroglia.testing import RunningService
from tests.openbank.builders import new_account
from tests.openbank.lives import Lives
from tests.openbank.test_deposits import deposit
from tests.support.engines import Backing

pytestmark = pytest.mark.service

DEPOSITS = 101


async def test_given_101_deposits_when_the_bank_starts_anew_then_the_account_stands_on_its_snapshot(
    backing: Backing, monkeypatch: pytest.MonkeyPatch
) -> None:
    lives = Lives(backing)
    async with lives.life() as bank:
        account = await new_account(bank)
        for number in range(1, DEPOSITS + 1):
            (await deposit(bank, account, "0.01")).then(201, {"balance_after": f"{number / 100:.2f}"})
        stored = await (await bank.services.get(DocumentStore)).get("snapshots", f"bank_account-{account}")
        assert stored is not None

    async with lives.life() as bank:
        read = await reads(bank, monkeypatch)
        (await deposit(bank, account, "0.01")).then(201, {"balance_after": f"{(DEPOSITS + 1) / 100:.2f}"})
        assert min(read()) == 99, "the event behind which the snapshot was taken, and what followed"
        (await bank.when("GET", f"/api/v1/accounts/{account}")).then(200, {"balance": "1.02", "version": DEPOSITS + 1})


async def reads(bank: RunningService, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[int]]:
    """Which revisions are read from now on."""
    store, revisions = await bank.services.get(EventStore), list[int]()
    read_page = store.read_page

    async def watched(stream: str, *, after: int, limit: int) -> Batch:
        page = await read_page(stream, after=after, limit=limit)
        revisions.extend(event.revision for event in page.events)
        return page

    monkeypatch.setattr(store, "read_page", watched)
    return lambda: revisions
