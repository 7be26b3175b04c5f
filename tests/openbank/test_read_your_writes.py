"""A write tells its position, and a read that shows it sees the write."""

import pytest

from neuroglia.core import SystemClock, SystemIds
from neuroglia.event_sourcing import EventCodec, EventMetadata, EventStore, NewEvent, read_your_writes
from neuroglia.testing import RunningService
from tests.openbank.builders import PERSON_BODY, given_account, head, opened

pytestmark = pytest.mark.service

on_shared_bank = pytest.mark.asyncio(loop_scope="module")


async def test_when_reading_behind_each_write_then_it_is_seen(bank: RunningService) -> None:
    await given_account(bank)
    deposit = {"account_id": "a", "amount": "1"}
    paths = ("/api/v1/accounts/a", "/api/v1/accounts", "/api/v1/accounts/a/transactions")

    for count in range(1, 6):
        written = await bank.client.post("/api/v1/transactions/deposits", json=deposit)  # no settling between
        position = written.headers["x-event-position"]

        account, accounts, statement = [
            await bank.client.get(path, headers={"X-Wait-For-Position": position}) for path in paths
        ]
        shown = await bank.client.get(written.headers["location"], headers={"X-Wait-For-Position": position})

        assert account.json()["balance"] == f"{count}.00"
        assert accounts.json()["items"] == [account.json()]
        assert statement.json()["items"][0]["id"] == written.json()["id"]
        assert shown.json() == written.json()
        for answer in (account, accounts, statement, shown):
            assert answer.status_code == 200
            assert int(answer.headers["x-read-model-position"]) >= int(position)


async def test_when_reading_a_person_behind_the_registration_then_it_is_found(bank: RunningService) -> None:
    written = await bank.client.post("/api/v1/persons", json=PERSON_BODY)
    behind = {"X-Wait-For-Position": written.headers["x-event-position"]}

    assert (await bank.client.get(written.headers["location"], headers=behind)).json() == written.json()
    assert (await bank.client.get("/api/v1/persons", headers=behind)).json()["items"] == [written.json()]


@on_shared_bank
async def test_without_the_header_a_read_tells_no_position(shared_bank: RunningService) -> None:
    answer = await shared_bank.when("GET", "/api/v1/accounts/a")

    assert "x-read-model-position" not in answer.response.headers
    assert "x-event-position" not in answer.response.headers


@on_shared_bank
async def test_a_position_that_was_passed_long_ago_is_fine(shared_bank: RunningService) -> None:
    last = str(await head(shared_bank))

    for position in ("0", "1", last, f"000{last}"):
        answer = await shared_bank.when("GET", "/api/v1/accounts/a", headers={"X-Wait-For-Position": position})

        answer.then(200)
        assert answer.response.headers["x-read-model-position"] == last


@on_shared_bank
async def test_a_position_behind_the_last_event_is_refused(shared_bank: RunningService) -> None:
    behind = {"X-Wait-For-Position": str(await head(shared_bank) + 1)}

    answer = await shared_bank.when("GET", "/api/v1/accounts/a", headers=behind)

    answer.then_refused(400, "malformed-request")
    assert answer.body["detail"] == "The position to wait for is beyond the last event."


@on_shared_bank
async def test_refused_writes_tell_no_position(shared_bank: RunningService) -> None:
    too_much = {"account_id": "a", "amount": "100.01"}

    answer = await shared_bank.when("POST", "/api/v1/transactions/withdrawals", json=too_much)

    answer.then_refused(422, "insufficient-funds")
    assert "x-event-position" not in answer.response.headers


async def test_given_a_read_model_that_is_stuck_then_a_read_answers_with_what_there_is(
    bank: RunningService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_your_writes, "_WAIT_S", 0.01)
    await given_account(bank)
    before = await head(bank)
    store, codec = await bank.services.get(EventStore), await bank.services.get(EventCodec)
    poison = opened(owner="nobody who was ever registered")
    metadata = EventMetadata(recorded_at=SystemClock().now(), correlation_id="c", causation_id=None, actor="test")
    new = NewEvent(id=SystemIds().new(), type=codec.name(poison), data=codec.encode(poison), metadata=metadata)
    await store.append("bank_account-b", [new], -1)
    written = await bank.client.post("/api/v1/transactions/deposits", json={"account_id": "a", "amount": "1"})
    behind = {"X-Wait-For-Position": written.headers["x-event-position"]}

    account = await bank.client.get("/api/v1/accounts/a", headers=behind)
    monkeypatch.undo()
    transaction = await bank.client.get(written.headers["location"], headers=behind)

    assert (account.status_code, account.json()["balance"]) == (200, "0.00")
    assert account.headers["x-read-model-position"] == str(before)
    assert transaction.json() == written.json()  # another projection, which is not stuck
    assert transaction.headers["x-read-model-position"] == written.headers["x-event-position"]
