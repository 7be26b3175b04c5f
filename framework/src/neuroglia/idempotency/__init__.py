"""Idempotency keys: a command that a caller sends again takes effect once, and is answered the same.

The request's key gives the command its id, and a record in the document store remembers how it ended: it is written
together with the documents that the command changes. Events that were appended before that are found again by the
command's id: see `neuroglia.event_sourcing.once`.
"""

from neuroglia.idempotency.behavior import IdempotencyBehavior as IdempotencyBehavior, Outcome as Outcome
from neuroglia.idempotency.records import (
    IdempotencyRecord as IdempotencyRecord,
    IdempotencyRecords as IdempotencyRecords,
)
