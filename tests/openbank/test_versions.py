"""ETag and If-Match: a change of a certain version, or none (RFC 9110, sections 8.8.3 and 13.1.1)."""

import pytest

from neuroglia.testing import RunningService
from openbank.domain.events.accounts import AccountFrozen
from openbank.domain.events.persons import PersonAddressChanged
from tests.openbank.builders import given_account

ACCOUNT = "/api/v1/accounts/a"


@pytest.fixture
async def etag(bank: RunningService) -> str:
    """That of an account at version 0."""
    await given_account(bank)
    return (await bank.when("GET", ACCOUNT)).response.headers["etag"]


async def test_an_account_tells_its_version(bank: RunningService, etag: str) -> None:
    changed = await bank.when("POST", f"{ACCOUNT}/freeze")

    assert (etag, changed.response.headers["etag"]) == ('"0"', '"1"')
    assert (await bank.when("GET", ACCOUNT)).response.headers["etag"] == '"1"'


async def test_given_the_present_version_then_the_change_is_made(bank: RunningService, etag: str) -> None:
    answer = await bank.when("POST", f"{ACCOUNT}/freeze", headers={"If-Match": etag})

    answer.then(200, {"status": "frozen"}, events=[AccountFrozen(reason=None)])


@pytest.mark.parametrize("if_match", ['"1"', 'W/"0"', '"x"', "0", '""', "", '"-1"', '"99999999999999999999"'])
async def test_given_any_other_tag_then_nothing_is_changed(bank: RunningService, etag: str, if_match: str) -> None:
    answer = await bank.when("POST", f"{ACCOUNT}/freeze", headers={"If-Match": if_match})

    answer.then_refused(412, "precondition-failed")


@pytest.mark.parametrize("if_match", ["*", '"7", "0"', ' "0"'])
async def test_given_several_tags_or_any_then_one_that_fits_is_enough(
    bank: RunningService, etag: str, if_match: str
) -> None:
    (await bank.when("POST", f"{ACCOUNT}/freeze", headers={"If-Match": if_match})).then(200)


async def test_given_somebody_was_faster_then_it_is_not_retried(bank: RunningService, etag: str) -> None:
    (await bank.when("POST", f"{ACCOUNT}/freeze")).then(200)

    late = await bank.when("POST", f"{ACCOUNT}/close", headers={"If-Match": etag})
    late.then_refused(409, "account-frozen")  # a precondition counts only where the request would have succeeded

    (await bank.when("POST", f"{ACCOUNT}/unfreeze", headers={"If-Match": etag})).then_refused(
        412, "precondition-failed"
    )


async def test_given_an_old_version_when_nothing_would_change_then_it_is_told_all_the_same(
    bank: RunningService, etag: str
) -> None:
    person = (await bank.when("GET", "/api/v1/persons/ada")).body
    path, new = "/api/v1/persons/ada/address", {**person["address"], "number": "2"}
    (await bank.when("PUT", path, json=new, headers={"If-Match": '"0"'})).then(200)

    (await bank.when("PUT", path, json=new, headers={"If-Match": '"0"'})).then_refused(412, "precondition-failed")
    again = await bank.when("PUT", path, json=new, headers={"If-Match": '"1"'})

    again.then(200, {"version": 1}, events=[])
    assert PersonAddressChanged not in {type(event) for event in again.events}
