"""One transaction, by its id."""

import pytest

from neuroglia.testing import RunningService
from tests.openbank.builders import deposited, new_account, withdrawn

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]
FIELDS = {
    "id", "account_id", "type", "amount", "currency", "balance_after", "reference", "counterparty_account_id",
    "transfer_id", "recorded_at", "revision",
}  # fmt: skip


async def test_given_movements_when_showing_one_then_it_is_as_in_the_statement(shared_bank: RunningService) -> None:
    account = await new_account(shared_bank, deposited("5", "5", "in"), withdrawn("2", "3", "out"))
    statement = (await shared_bank.when("GET", f"/api/v1/accounts/{account}/transactions")).then(200).body["items"]

    for line in statement:
        assert set(line) == FIELDS
        answer = await shared_bank.when("GET", f"/api/v1/transactions/{line['id']}")
        assert answer.then(200).body == line


async def test_given_none_when_showing_then_it_is_404(shared_bank: RunningService) -> None:
    (await shared_bank.when("GET", "/api/v1/transactions/none")).then_refused(404, "not-found")
