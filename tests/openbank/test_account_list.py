"""Listing accounts."""

import pytest

from neuroglia.testing import RunningService
from openbank.domain.models.bank_account import BankAccount
from openbank.domain.models.person import Person
from tests.openbank.builders import all_pages, given_account, opened, registered

pytestmark = pytest.mark.service

ACCOUNTS = "/api/v1/accounts"


async def test_given_several_when_listing_then_all_or_one_owners_are_paged_in_the_order_of_opening(
    bank: RunningService,
) -> None:
    for owner in ("ada", "bob"):
        await bank.given(Person, owner, registered(first_name=owner))
    for id_, owner in (("e", "ada"), ("a", "bob"), ("d", "ada"), ("b", "ada"), ("c", "bob")):
        await bank.given(BankAccount, id_, opened(owner=owner))

    everything = await all_pages(bank, ACCOUNTS, limit=2)
    adas = await all_pages(bank, ACCOUNTS, limit=2, owner_id="ada")
    nobodys = await all_pages(bank, ACCOUNTS, owner_id="nobody")

    assert [[account["id"] for account in page] for page in everything] == [["e", "a"], ["d", "b"], ["c"]]
    assert [[account["id"] for account in page] for page in adas] == [["e", "d"], ["b"]]
    assert nobodys == [[]]


async def test_given_an_account_added_meanwhile_when_paging_on_then_nothing_is_twice_or_missed(
    bank: RunningService,
) -> None:
    await given_account(bank, id="a")
    await bank.given(BankAccount, "b", opened())
    first = (await bank.when("GET", ACCOUNTS, params={"limit": 1})).then(200).body
    await bank.given(BankAccount, "c", opened())

    rest = await all_pages(bank, ACCOUNTS, limit=200, cursor=first["next_cursor"])

    assert [account["id"] for page in rest for account in page] == ["b", "c"]
