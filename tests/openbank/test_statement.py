"""An account's statement: order, filters, pages, and arithmetic."""

from decimal import Decimal

import pytest
import pytest_asyncio

from neuroglia.testing import RunningService
from openbank.domain.models.bank_account import BankAccount
from tests.openbank.builders import FROZEN, UNFROZEN, all_pages, deposited, new_account, withdrawn

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def moved(shared_bank: RunningService) -> str:
    """An account with five movements, of which two were recorded at one moment, and with what is no movement."""
    account = await new_account(shared_bank, deposited("10", "10", "1"), FROZEN, UNFROZEN)
    await shared_bank.given(BankAccount, account, withdrawn("3", "7", "2"), deposited("0.50", "7.50", "3"))
    await shared_bank.given(BankAccount, account, withdrawn("7.50", "0", "4"))
    await shared_bank.given(BankAccount, account, deposited("100", "100", "5"))
    await new_account(shared_bank, deposited("1", "1", "of another account"))
    return account


def statement(account: str) -> str:
    return f"/api/v1/accounts/{account}/transactions"


def references(pages: list[list[dict[str, str]]]) -> list[str]:
    return [line["reference"] for page in pages for line in page]


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 200])
async def test_the_pages_lead_to_the_end_newest_first(shared_bank: RunningService, moved: str, limit: int) -> None:
    pages = await all_pages(shared_bank, statement(moved), limit=limit)

    assert references(pages) == ["5", "4", "3", "2", "1"]
    assert all(len(page) == limit for page in pages[:-1])
    assert {line["account_id"] for page in pages for line in page} == {moved}


async def test_each_balance_follows_from_the_one_before(shared_bank: RunningService, moved: str) -> None:
    lines = (await all_pages(shared_bank, statement(moved)))[0][::-1]

    balance = Decimal(0)
    for line in lines:
        balance += Decimal(line["amount"]) * (1 if line["type"] == "deposit" else -1)
        assert line["balance_after"] == f"{balance:.2f}"
    (await shared_bank.when("GET", f"/api/v1/accounts/{moved}")).then(200, {"balance": lines[-1]["balance_after"]})


@pytest.mark.parametrize(
    ("type_", "found"), [("deposit", ["5", "3", "1"]), ("withdrawal", ["4", "2"]), ("interest", []), ("refund", [])]
)
async def test_when_filtering_by_type_then_the_others_are_left_out(
    shared_bank: RunningService, moved: str, type_: str, found: list[str]
) -> None:
    assert references(await all_pages(shared_bank, statement(moved), type=type_, limit=1)) == found


async def test_when_filtering_by_time_then_to_is_not_included(shared_bank: RunningService, moved: str) -> None:
    five, four, three, two, one = (line["recorded_at"] for line in (await all_pages(shared_bank, statement(moved)))[0])
    assert two == three

    async def found(**filters: str) -> list[str]:
        return references(await all_pages(shared_bank, statement(moved), limit=2, **filters))

    assert await found(**{"from": four}) == ["5", "4"]
    assert await found(to=four) == ["3", "2", "1"]
    assert await found(**{"from": one, "to": five}) == ["4", "3", "2", "1"]
    assert await found(**{"from": two, "to": four, "type": "withdrawal"}) == ["2"]
    assert await found(**{"from": five, "to": one}) == []
    assert await found(**{"from": four.replace("Z", "+00:00")}) == ["5", "4"]
    assert await found(to="0001-01-01T00:00:00Z") == []
    assert await found(**{"from": "9999-12-31T23:59:59Z"}) == []


async def test_a_moment_is_the_same_in_every_offset(shared_bank: RunningService, moved: str) -> None:
    by_utc = await shared_bank.when("GET", statement(moved), params={"from": "2020-01-01T00:00:00Z", "limit": 1})

    page = await shared_bank.when(
        "GET",
        statement(moved),
        params={"from": "2020-01-01T05:30:00+05:30", "limit": 1, "cursor": by_utc.body["next_cursor"]},
    )

    assert references([page.then(200).body["items"]]) == ["4"]


async def test_given_an_account_without_movements_then_the_statement_is_empty(shared_bank: RunningService) -> None:
    account = await new_account(shared_bank, FROZEN)

    (await shared_bank.when("GET", statement(account))).then(200, {"items": [], "next_cursor": None})


async def test_given_no_account_then_it_is_404(shared_bank: RunningService) -> None:
    (await shared_bank.when("GET", "/api/v1/accounts/none/transactions")).then_refused(404, "not-found")
    (await shared_bank.when("GET", "/api/v1/accounts/none/transactions?type=deposit")).then_refused(404, "not-found")


async def test_given_a_movement_meanwhile_when_paging_on_then_it_is_not_seen_twice(shared_bank: RunningService) -> None:
    account = await new_account(shared_bank, *(deposited("1", str(n), str(n)) for n in (1, 2, 3)))
    first = (await shared_bank.when("GET", statement(account), params={"limit": 2})).body
    await shared_bank.given(BankAccount, account, deposited("1", "4", "4"))

    rest = await all_pages(shared_bank, statement(account), limit=200, cursor=first["next_cursor"])

    assert references([first["items"], *rest]) == ["3", "2", "1"]
