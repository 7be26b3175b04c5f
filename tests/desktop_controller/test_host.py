"""The host's states: what moves it, and what leaves it where it is."""

from datetime import timedelta

import pytest

from desktop_controller.domain.models.host import Host, HostEvent, HostState
from tests.desktop_controller.builders import NOW

LATER = NOW + timedelta(hours=1)
BELOW = [state for state in HostState if state is not HostState.LOCKED]
EXPECTED = {
    HostEvent.ASKS_FOR_REGISTRATION: dict.fromkeys(BELOW, HostState.REGISTRATION_REQUESTED),
    HostEvent.IS_REGISTERED: {HostState.REGISTRATION_REQUESTED: HostState.REGISTERED},
    HostEvent.IS_READY: {HostState.REGISTERED: HostState.READY},
    HostEvent.WORKS: {HostState.READY: HostState.BUSY},
    HostEvent.RESTS: {HostState.BUSY: HostState.READY},
    HostEvent.LEAVES: dict.fromkeys(BELOW, HostState.UNREGISTERED),
    HostEvent.IS_LOCKED: dict.fromkeys(BELOW, HostState.LOCKED),
    HostEvent.IS_UNLOCKED: {},
}


def host(state: HostState = HostState.PENDING, *, locked: bool = False) -> Host:
    return Host(desktop_id="d", desktop_name="D", below_lock=state, is_locked=locked, created_at=NOW, last_modified=NOW)


@pytest.mark.parametrize("state", BELOW)
@pytest.mark.parametrize("event", HostEvent)
def test_given_a_state_when_something_happens_then_it_moves_or_stays(event: HostEvent, state: HostState) -> None:
    it = host(state)
    after = EXPECTED[event].get(state, state)

    assert it.take_in(event, LATER) == (after is not state)

    assert (it.state, it.is_locked) == (after, after is HostState.LOCKED)
    assert it.last_modified == (NOW if after is state else LATER)


@pytest.mark.parametrize("state", BELOW)
def test_given_a_locked_host_when_it_is_unlocked_then_it_is_where_it_was(state: HostState) -> None:
    it = host(state, locked=True)
    assert it.state is HostState.LOCKED

    it.take_in(HostEvent.IS_UNLOCKED, LATER)

    assert (it.state, it.is_locked, it.last_modified) == (state, False, LATER)


def test_given_a_locked_host_when_its_work_ends_then_it_is_ready_behind_the_lock() -> None:
    it = host(HostState.BUSY, locked=True)

    it.take_in(HostEvent.RESTS, LATER)
    assert it.state is HostState.LOCKED
    it.take_in(HostEvent.IS_UNLOCKED, LATER)

    assert it.state is HostState.READY


def test_describing_a_host_changes_all_that_is_told_and_not_its_state() -> None:
    it = host(HostState.READY)

    it.describe("e", "E", "10.0.0.7", LATER)

    assert (it.desktop_id, it.desktop_name, it.host_ip_address, it.last_modified) == ("e", "E", "10.0.0.7", LATER)
    assert (it.state, it.created_at) == (HostState.READY, NOW)
