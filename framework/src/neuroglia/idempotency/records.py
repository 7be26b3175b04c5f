"""What is remembered of each key, and who has its command in hand."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from pydantic import BaseModel

from neuroglia.core.clock import Clock
from neuroglia.core.errors import ConcurrencyError, Unavailable
from neuroglia.core.ids import SystemIds
from neuroglia.documents import DocumentStore, DocumentType, Session, document, le, sweep
from neuroglia.domain import RuleViolation, StateConflict
from neuroglia.event_sourcing import EventStore

_KEEP: Final = timedelta(hours=24)
_LEASE: Final = timedelta(seconds=10)
"""After this, who has a command in hand counts as dead. It is longer than a twin waits."""
_WAIT_S: Final = 5.0
_LOOK_S: Final = 0.05
_SWEPT: Final = 10


class IdempotencyKeyReused(RuleViolation):
    """The key has come before, with another request."""

    code: ClassVar[str] = "idempotency-key-reused"


class StillRunning(StateConflict):
    """The first request with this key is not answered yet."""

    code: ClassVar[str] = "idempotency-key-in-use"
    retry_after: ClassVar[float] = 1.0
    """Seconds after which a repeat makes sense."""


@document("idempotency", indexes=["expires_at"])
class IdempotencyRecord(BaseModel):
    """What is known of one key of one caller.

    Attributes:
        id: the command's.
        digest: of the command's type and values; the same key with other ones is a mistake.
        since: the log position from before the first try. Every later try keeps it.
        owner: who has it in hand until it is `done`, and counts as dead after `until`; nobody, when it failed.
        result: what the command answered, as JSON.
        refusal: or how the domain refused it: the family of the error, its code and detail.
        event_position: what it told beside that.
    """

    id: str
    digest: str
    since: int | None
    owner: str = ""
    until: datetime
    expires_at: datetime
    done: bool = False
    result: str = "null"
    refusal: tuple[str, str, str] | None = None
    event_position: int | None = None

    @property
    def stream(self) -> str:
        """How a ConcurrencyError names it."""
        return f"idempotency/{self.id}"


@dataclass(frozen=True, slots=True)
class IdempotencyRecords:
    """The records, written by compare-and-set: of several twins, one has the command in hand."""

    kind: DocumentType[IdempotencyRecord]
    store: DocumentStore
    clock: Clock
    events: EventStore | None = None

    async def begin(self, id: str, digest: str) -> IdempotencyRecord:
        """The record of a key: done, or noted as in our hand.

        Raises:
            IdempotencyKeyReused: it belongs to another request.
            StillRunning: somebody else has it in hand, and did not end in time.
        """
        deadline = asyncio.get_running_loop().time() + _WAIT_S
        while True:
            session, now = Session(self.store), self.clock.now()
            record = await session.get(self.kind, id)
            if record is None or record.expires_at <= now:
                since = None if self.events is None else await self.events.head()
                record = IdempotencyRecord(id=id, digest=digest, since=since, until=now, expires_at=now + _KEEP)
            if record.digest != digest:
                raise IdempotencyKeyReused("This Idempotency-Key has come with another request before.")
            if record.done:
                return record
            if not record.owner or record.until <= now:  # it is new, or failed, or its owner has died
                record.owner, record.until = SystemIds().new(), now + _LEASE
                session.save(self.kind, record)
                with suppress(ConcurrencyError):  # a twin was faster
                    await session.commit()
                    with suppress(Unavailable):  # the key is taken all the same
                        await sweep(self.store, self.kind, le("expires_at", now), most=_SWEPT)  # more than come
                    return record
            elif asyncio.get_running_loop().time() >= deadline:
                raise StillRunning("The first request with this Idempotency-Key is still being handled.")
            await asyncio.sleep(_LOOK_S)

    async def end(self, record: IdempotencyRecord, refusal: tuple[str, str, str] | None = None) -> None:
        """Notes how the domain has refused it, or that it failed."""
        session = Session(self.store)
        held = await session.get(self.kind, record.id)
        if held is not None and held.owner == record.owner and not held.done:
            held.owner, held.done, held.refusal = "", refusal is not None, refusal
            session.save(self.kind, held)
            with suppress(ConcurrencyError):  # a twin takes over in this moment
                await session.commit()
