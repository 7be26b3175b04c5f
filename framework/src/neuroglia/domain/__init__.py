"""The building blocks of a domain model. Pure Python: no I/O, no framework, no validation library."""

from neuroglia.domain.aggregates import AggregateRoot as AggregateRoot, when as when
from neuroglia.domain.envelopes import Envelope as Envelope
from neuroglia.domain.errors import (
    DomainError as DomainError,
    RuleViolation as RuleViolation,
    StateConflict as StateConflict,
)
from neuroglia.domain.events import (
    DomainEvent as DomainEvent,
    RawEvent as RawEvent,
    event as event,
    upcast as upcast,
)
from neuroglia.domain.repositories import History as History, Repository as Repository
from neuroglia.domain.transitions import transitions as transitions
