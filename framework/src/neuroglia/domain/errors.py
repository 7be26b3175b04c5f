"""Errors that are answers: the domain says no, and the caller is told why."""

from typing import ClassVar


class DomainError(Exception):
    """A request that the domain refuses.

    `code` is a stable, machine-readable name and part of the public contract; the message is for people
    and must hold nothing secret, for it is sent to the caller.
    """

    code: ClassVar[str] = "domain-error"

    @property
    def detail(self) -> str:
        """The sentence for people, as given to the constructor."""
        return str(self)


class RuleViolation(DomainError):
    """The request breaks a rule whatever the state of the race: the same request would fail again (HTTP 422)."""

    code: ClassVar[str] = "rule-violation"


class StateConflict(DomainError):
    """The request does not fit the aggregate's present state (HTTP 409)."""

    code: ClassVar[str] = "state-conflict"
