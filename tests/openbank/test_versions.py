"""ETag and If-Match: a change of a certain version, or none (RFC 9110, sections 8.8.3 and 13.1.1)."""

import pytest
import pytest_asyncio

from neuroglia.testing import RunningService
from openbank.domain.events.accounts import AccountFrozen
from openbank.domain.events.persons import PersonAddressChanged
from tests.openbank.builders import new_account

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(loop_scope="module")
async def account(shared_bank: RunningService) -> str:
    """The path of a new account, whose tag is "0"."""
    return f"/api/v1/accounts/{await new_account(shared_bank)}"


async def test_an_account_tells_its_version(shared_bank: RunningService, account: str) -> None:
    before = await shared_bank.when("GET", account)
    changed = await shared_bank.when("POST", f"{account}/freeze")

    assert (before.response.headers["etag"], changed.response.headers["etag"]) == ('"0"', '"1"')
    assert (await shared_bank.when("GET", account)).response.headers["etag"] == '"1"'


async def test_given_the_present_version_then_the_change_is_made(shared_bank: RunningService, account: str) -> None:
    answer = await shared_bank.when("POST", f"{account}/freeze", headers={"If-Match": '"0"'})

    answer.then(200, {"status": "frozen"}, events=[AccountFrozen(reason=None)])


@pytest.mark.parametrize("if_match", ['"1"', 'W/"0"', '"x"', '""', "", '"-1"', '"99999999999999999999"'])
async def test_given_any_other_tag_then_nothing_is_changed(
    shared_bank: RunningService, account: str, if_match: str
) -> None:
    answer = await shared_bank.when("POST", f"{account}/freeze", headers={"If-Match": if_match})

    answer.then_refused(412, "precondition-failed")


async def test_given_a_tag_without_its_quotes_then_it_is_told_how_one_is_sent(
    shared_bank: RunningService, account: str
) -> None:
    answer = await shared_bank.when("POST", f"{account}/freeze", headers={"If-Match": "0"})

    answer.then_refused(400, "malformed-request")
    assert answer.body["detail"] == 'If-Match holds an ETag as it was sent, with its quotes: "0"'


@pytest.mark.parametrize("if_match", ["*", '"7", "0"', ' "0"'])
async def test_given_several_tags_or_any_then_one_that_fits_is_enough(
    shared_bank: RunningService, account: str, if_match: str
) -> None:
    (await shared_bank.when("POST", f"{account}/freeze", headers={"If-Match": if_match})).then(200)


async def test_given_tags_on_two_lines_then_they_are_one_list(shared_bank: RunningService, account: str) -> None:
    headers = [("If-Match", '"0"'), ("If-Match", '"7"')]

    (await shared_bank.when("POST", f"{account}/freeze", headers=headers)).then(200)


async def test_given_somebody_was_faster_then_it_is_not_retried(shared_bank: RunningService, account: str) -> None:
    (await shared_bank.when("POST", f"{account}/freeze")).then(200)

    late = await shared_bank.when("POST", f"{account}/close", headers={"If-Match": '"0"'})
    late.then_refused(409, "account-frozen")  # a precondition counts only where the request would have succeeded

    (await shared_bank.when("POST", f"{account}/unfreeze", headers={"If-Match": '"0"'})).then_refused(
        412, "precondition-failed"
    )


async def test_given_an_old_version_when_nothing_would_change_then_it_is_told_all_the_same(
    shared_bank: RunningService, account: str
) -> None:
    owner = (await shared_bank.when("GET", account)).body["owner_id"]
    person = (await shared_bank.when("GET", f"/api/v1/persons/{owner}")).body
    path, new = f"/api/v1/persons/{owner}/address", {**person["address"], "number": "2"}
    (await shared_bank.when("PUT", path, json=new, headers={"If-Match": '"0"'})).then(200)

    (await shared_bank.when("PUT", path, json=new, headers={"If-Match": '"0"'})).then_refused(
        412, "precondition-failed"
    )
    again = await shared_bank.when("PUT", path, json=new, headers={"If-Match": '"1"'})

    again.then(200, {"version": 1}, events=[])
    assert PersonAddressChanged not in {type(event) for event in again.events}
