"""One transaction, by its id."""

from neuroglia.testing import RunningService
from tests.openbank.builders import deposited, given_account, withdrawn

FIELDS = {
    "id", "account_id", "type", "amount", "currency", "balance_after", "reference", "recorded_at", "revision",
}  # fmt: skip


async def test_given_movements_when_showing_one_then_it_is_as_in_the_statement(bank: RunningService) -> None:
    await given_account(bank, deposited("5", "5", "in"), withdrawn("2", "3", "out"))
    statement = (await bank.when("GET", "/api/v1/accounts/a/transactions")).then(200).body["items"]

    for line in statement:
        assert set(line) == FIELDS
        answer = await bank.when("GET", f"/api/v1/transactions/{line['id']}")
        assert answer.then(200).body == line


async def test_given_none_when_showing_then_it_is_404(bank: RunningService) -> None:
    (await bank.when("GET", "/api/v1/transactions/none")).then_refused(404, "not-found")
