"""The host: which desktop this is, and what it is ready for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from neuroglia.domain import transitions

THE_HOST: Final = "host"
"""Its id: there is one."""


class HostState(StrEnum):
    """pending → registration_requested → registered → ready ⇄ busy; locked ⇄ back to where it was; unregistered."""

    PENDING = "pending"
    REGISTRATION_REQUESTED = "registration_requested"
    REGISTERED = "registered"
    READY = "ready"
    BUSY = "busy"
    LOCKED = "locked"
    UNREGISTERED = "unregistered"


class HostEvent(StrEnum):
    """What moves a host from one state to another. No request names any of these."""

    ASKS_FOR_REGISTRATION = "asks_for_registration"
    IS_REGISTERED = "is_registered"
    IS_READY = "is_ready"
    WORKS = "works"
    RESTS = "rests"
    LEAVES = "leaves"
    IS_LOCKED = "is_locked"
    IS_UNLOCKED = "is_unlocked"


_NEXT: Final[Mapping[tuple[HostState, HostEvent], HostState]] = transitions(
    ([*HostState], HostEvent.ASKS_FOR_REGISTRATION, HostState.REGISTRATION_REQUESTED),
    ([HostState.REGISTRATION_REQUESTED], HostEvent.IS_REGISTERED, HostState.REGISTERED),
    ([HostState.REGISTERED], HostEvent.IS_READY, HostState.READY),
    ([HostState.READY], HostEvent.WORKS, HostState.BUSY),
    ([HostState.BUSY], HostEvent.RESTS, HostState.READY),
    ([*HostState], HostEvent.LEAVES, HostState.UNREGISTERED),
)
"""All transitions. What is not here changes nothing: the events are facts, and some of them come twice."""


@dataclass(slots=True, kw_only=True)
class Host:
    """One desktop, kept in a file on it.

    It is no aggregate of events. Who did what on this host is told by the events of its commands, the locking and the
    unlocking among them; the rest is what is so now, and nobody asks what it was before.

    The lock lies over the state and does not replace it: what happens below it goes on, so that an unlocked host is
    where it would be without the lock.
    """

    desktop_id: str
    desktop_name: str
    host_ip_address: str | None = None
    below_lock: HostState = HostState.PENDING
    is_locked: bool = False
    created_at: datetime
    last_modified: datetime
    version: int = 0

    @property
    def state(self) -> HostState:
        """What it is ready for."""
        return HostState.LOCKED if self.is_locked else self.below_lock

    def describe(self, desktop_id: str, desktop_name: str, host_ip_address: str | None, now: datetime) -> None:
        """Says which desktop this is. Its state is nobody's to say."""
        self.desktop_id, self.desktop_name, self.host_ip_address = desktop_id, desktop_name, host_ip_address
        self.last_modified = now

    def take_in(self, event: HostEvent, now: datetime) -> bool:
        """Something has happened to it. Returns whether that changed anything."""
        before = self.state, self.below_lock
        if event in {HostEvent.IS_LOCKED, HostEvent.IS_UNLOCKED}:
            self.is_locked = event is HostEvent.IS_LOCKED
        else:
            self.below_lock = _NEXT.get((self.below_lock, event), self.below_lock)
        changed = before != (self.state, self.below_lock)
        if changed:
            self.last_modified = now
        return changed
