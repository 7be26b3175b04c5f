"""Leases: of several processes that could do a work, one does it. They save work; they are never what correctness
stands on, for a process that was paused may believe in a lease that it has lost."""

from datetime import datetime, timedelta
from typing import Final

from pydantic import BaseModel

from neuroglia.core.clock import Clock
from neuroglia.core.errors import ConcurrencyError
from neuroglia.documents.store import DocumentStore, Write
from neuroglia.documents.types import DocumentType, document

_NOBODY: Final = ""


@document("leases", key="name")
class LeaseRow(BaseModel):
    """Who has a lease, and until when unless it is renewed. Nobody has one that was released."""

    name: str
    owner: str
    until: datetime


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
        self._rows: DocumentType[LeaseRow] = DocumentType(LeaseRow)

    async def claim(self) -> bool:
        """Takes the lease if it is free or has run out, or renews it. Returns whether it is ours now."""
        now = self._clock.now()
        version, row = await self._read()
        if row is not None and row.owner != self._owner and row.until > now:
            return False
        died = row is not None and row.owner not in {_NOBODY, self._owner}
        row = LeaseRow(name=self._name, owner=self._owner, until=now + timedelta(seconds=self.seconds))
        if claimed := await self._write(version, row):
            self.taken_over = self.taken_over or died
        return claimed

    async def release(self) -> None:
        """Gives the lease back, so that another process need not wait until it has run out."""
        version, row = await self._read()
        if row is not None and row.owner == self._owner:
            await self._write(version, LeaseRow(name=self._name, owner=_NOBODY, until=self._clock.now()))

    async def _read(self) -> tuple[int, LeaseRow | None]:
        stored = await self._store.get(self._rows.collection, self._name)
        return (0, None) if stored is None else (stored.version, self._rows.codec.decode(stored.body))

    async def _write(self, version: int, row: LeaseRow) -> bool:
        try:
            await self._store.commit([Write(self._rows.collection, self._name, version, self._rows.codec.encode(row))])
        except ConcurrencyError:  # somebody was faster
            return False
        return True
