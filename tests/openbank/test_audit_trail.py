"""The audit trail: all that was ever recorded of an account."""

import pytest

from neuroglia.testing import RunningService
from tests.openbank.builders import FROZEN, all_pages, deposited, new_account, withdrawn

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]
FIELDS = {"id", "type", "revision", "recorded_at", "actor", "correlation_id", "causation_id", "data"}


async def test_given_a_history_when_asking_then_every_event_is_told_oldest_first(shared_bank: RunningService) -> None:
    account = await new_account(shared_bank, deposited("10", "10", "x"), withdrawn("1", "9"), FROZEN)

    for limit, sizes in ((1, [1] * 4), (2, [2, 2]), (3, [3, 1]), (50, [4])):
        pages = await all_pages(shared_bank, f"/api/v1/accounts/{account}/events", limit=limit)

        assert [len(page) for page in pages] == sizes
        events = [event for page in pages for event in page]
        assert [event["revision"] for event in events] == [0, 1, 2, 3]
        assert [event["type"] for event in events] == [
            "openbank.account-opened.v1",
            "openbank.money-deposited.v1",
            "openbank.money-withdrawn.v1",
            "openbank.account-frozen.v1",
        ]
        assert all(set(event) == FIELDS and event["recorded_at"].endswith("Z") for event in events)
    assert events[1]["data"] == {
        "type": "deposit",
        "amount": {"amount": "10.00", "currency": "EUR"},
        "balance_after": {"amount": "10.00", "currency": "EUR"},
        "reference": "x",
        "leg": None,
    }


async def test_what_a_request_causes_carries_its_correlation_id(shared_bank: RunningService) -> None:
    account = await new_account(shared_bank)

    answer = await shared_bank.when(
        "POST",
        "/api/v1/transactions/deposits",
        json={"account_id": account, "amount": "1"},
        headers={"X-Correlation-ID": "from-the-till.7"},
    )

    assert answer.response.headers["x-correlation-id"] == "from-the-till.7"
    last = (await all_pages(shared_bank, f"/api/v1/accounts/{account}/events"))[0][-1]
    assert last["correlation_id"] == "from-the-till.7"
    assert last["causation_id"] is None
    assert last["id"] == answer.body["id"]
    assert last["recorded_at"] == answer.body["recorded_at"]


async def test_given_no_account_then_it_is_404(shared_bank: RunningService) -> None:
    (await shared_bank.when("GET", "/api/v1/accounts/none/events")).then_refused(404, "not-found")
