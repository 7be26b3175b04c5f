"""What is kept on the host: saved as the next version of what was read, or refused."""

import asyncio

import pytest

from desktop_controller.domain.models.desktop_user import THE_USER
from desktop_controller.domain.models.host import THE_HOST
from desktop_controller.integration.kept import HostIdentity, keep_host, keep_user
from neuroglia.core import ConcurrencyError, NotFoundError, Unavailable
from neuroglia.testing import FixedClock
from tests.desktop_controller.builders import NOW
from tests.desktop_controller.doubles import FakeHostStore

IDENTITY = HostIdentity("desk-7", "Desk 7")


async def test_given_nothing_that_was_saved_then_the_host_is_as_the_settings_name_it_and_there_is_no_user() -> None:
    store = FakeHostStore()

    host = await keep_host(store, IDENTITY, FixedClock()).get(THE_HOST)

    assert (host.desktop_id, host.desktop_name, host.created_at) == ("desk-7", "Desk 7", FixedClock().now())
    with pytest.raises(NotFoundError):
        await keep_user(store).get(THE_USER)


async def test_what_was_saved_is_read_as_it_was() -> None:
    store = FakeHostStore()
    hosts = keep_host(store, IDENTITY, FixedClock())
    host = await hosts.get(THE_HOST)
    host.describe("d", "größer 🦊", None, NOW)

    await hosts.save(host)

    assert await keep_host(store, IDENTITY, FixedClock()).get(THE_HOST) == host
    assert host.version == 1


@pytest.mark.parametrize("saved_before", [False, True])
async def test_given_two_who_have_read_the_same_then_the_second_save_is_refused(saved_before: bool) -> None:
    hosts = keep_host(FakeHostStore(), IDENTITY, FixedClock())
    if saved_before:
        await hosts.save(await hosts.get(THE_HOST))
    first, second = await hosts.get(THE_HOST), await hosts.get(THE_HOST)
    first.describe("first", "First", None, NOW)
    second.describe("second", "Second", None, NOW)

    outcomes = await asyncio.gather(hosts.save(first), hosts.save(second), return_exceptions=True)

    assert [type(outcome) for outcome in outcomes] == [list, ConcurrencyError]
    assert (await hosts.get(THE_HOST)).desktop_id == "first"


async def test_there_is_one_host_and_no_other() -> None:
    with pytest.raises(NotFoundError):
        await keep_host(FakeHostStore(), IDENTITY, FixedClock()).get("another")


@pytest.mark.parametrize("edited", [{}, {"desktop_id": "d"}, {"desktop_id": 7}])
async def test_given_a_file_that_somebody_has_broken_then_it_is_told_and_not_overwritten(
    edited: dict[str, str | int],
) -> None:
    store = FakeHostStore()
    hosts = keep_host(store, IDENTITY, FixedClock())
    host = await hosts.get(THE_HOST)
    store.values[THE_HOST] = dict(edited)

    with pytest.raises(Unavailable):
        await hosts.get(THE_HOST)
    with pytest.raises(Unavailable):
        await hosts.save(host)
    assert store.values[THE_HOST] == edited
