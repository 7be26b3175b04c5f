"""Two processes of one service on the same stores: each decides on what the other has done."""

from dataclasses import asdict
from typing import Any

import pytest

from neuroglia.testing import RunningService, running
from openbank.main import create_builder
from openbank.settings import OpenBankSettings
from tests.openbank.builders import PERSON_BODY
from tests.support.engines import Backing

pytestmark = pytest.mark.integration


async def post(service: RunningService, path: str, **body: Any) -> tuple[int, dict[str, Any]]:
    answer = await service.client.post(f"/api/v1{path}", json=body)
    return answer.status_code, answer.json()


async def test_given_an_account_that_both_remember_when_they_take_turns_then_no_answer_is_an_old_one(
    backing: Backing,
) -> None:
    settings = OpenBankSettings(log_level="WARNING", **asdict(backing))
    async with (
        running(create_builder(settings).build()) as one,
        running(create_builder(settings).build()) as other,
    ):
        _, person = await post(one, "/persons", **PERSON_BODY)
        _, account = await post(one, "/accounts", owner_id=person["id"])
        movement = {"account_id": account["id"], "amount": "10.00"}

        for _ in range(3):  # each withdrawal would be refused by who does not know of the other's deposit
            assert (await post(one, "/transactions/deposits", **movement))[0] == 201
            assert (await post(other, "/transactions/withdrawals", **movement))[0] == 201
            status, problem = await post(one, "/transactions/withdrawals", **movement)
            assert (status, problem["type"].rpartition(":")[2]) == (422, "insufficient-funds")

        assert (await post(other, f"/accounts/{account['id']}/close"))[0] == 200
        status, problem = await post(one, "/transactions/deposits", **movement)
        assert (status, problem["type"].rpartition(":")[2]) == (409, "account-closed")
