"""The building blocks of a domain model. Pure Python: no I/O, no framework, no validation library."""

from neuroglia.domain.aggregates import AggregateRoot, when
from neuroglia.domain.envelopes import Envelope
from neuroglia.domain.errors import DomainError, RuleViolation, StateConflict
from neuroglia.domain.events import DomainEvent, event, upcast
from neuroglia.domain.repositories import History, Repository

__all__ = [
    "AggregateRoot",
    "DomainError",
    "DomainEvent",
    "Envelope",
    "History",
    "Repository",
    "RuleViolation",
    "StateConflict",
    "event",
    "upcast",
    "when",
]
