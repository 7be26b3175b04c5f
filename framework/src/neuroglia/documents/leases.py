"""Leases: of several processes that could do a work, one does it. They save work; they are never what correctness
stands on, for a process that was paused may believe in a lease that it has lost."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel

from neuroglia.core.clock import Clock
from neuroglia.core.errors import ConcurrencyError
from neuroglia.documents.session import Session
from neuroglia.documents.store import DocumentStore
from neuroglia.documents.types import DocumentType, document

_NOBODY: Final = ""


@document("leases", key="name")
class LeaseRow(BaseModel):
    """Who has a lease, and until when unless it is renewed. Nobody has one that was released."""

    name: str
    owner: str
    until: datetime


_LEASES: Final = DocumentType(LeaseRow)


class Lease:
    """One process's claim to one lease.

    Attributes:
        seconds: how long it lasts unless it is renewed.
        taken_over: whether it was claimed from an owner that had not released it, and so may have died at work.
    """

    def __init__(self, store: DocumentStore, clock: Clock, *, name: str, owner: str, seconds: float) -> None:
        self.seconds = seconds
        self.taken_over = False
        self._store = store
        self._clock = clock
        self._name = name
        self._owner = owner

    async def claim(self) -> bool:
        """Takes the lease if it is free or has run out, or renews it. Returns whether it is ours now."""
        session, now = Session(self._store), self._clock.now()
        row = await session.get(_LEASES, self._name)
        if row is not None and row.owner != self._owner and row.until > now:
            return False
        died = row is not None and row.owner not in {_NOBODY, self._owner}
        until = now + timedelta(seconds=self.seconds)
        session.save(_LEASES, LeaseRow(name=self._name, owner=self._owner, until=until))
        try:
            await session.commit()
        except ConcurrencyError:  # somebody was faster
            return False
        self.taken_over = self.taken_over or died
        return True

    async def release(self) -> None:
        """Gives the lease back, so that another process need not wait until it has run out."""
        session = Session(self._store)
        row = await session.get(_LEASES, self._name)
        if row is not None and row.owner == self._owner:
            row.owner, row.until = _NOBODY, self._clock.now()
            session.save(_LEASES, row)
            with suppress(ConcurrencyError):  # somebody has taken it over
                await session.commit()
