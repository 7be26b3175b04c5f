"""Steps: which command follows from which event, and what from its outcome."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeAlias

from neuroglia.core.errors import NotFoundError
from neuroglia.domain import DomainError
from neuroglia.mediation import Command

Refusal: TypeAlias = DomainError | NotFoundError


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a process, and what follows from its outcome.

    Attributes:
        process: the id of the process's aggregate.
        name: which of its steps this is. Process and name make the command's id: however often it is sent, and by
            whom, it takes effect once.
        done: the step that follows when the command is carried out.
        refused: gives the step that follows when it is refused; without it, a refusal ends the matter.
        after: a deadline: the command is sent so long after its event was recorded. Whether it still matters then
            is for the aggregate to say.
    """

    process: str
    name: str
    command: Command[Any]
    done: "Step | None" = field(default=None, kw_only=True)
    refused: "Callable[[Refusal], Step] | None" = field(default=None, kw_only=True)
    after: timedelta | None = field(default=None, kw_only=True)


Steps: TypeAlias = Step | Sequence[Step] | None


def as_sequence(steps: Steps) -> Sequence[Step]:
    """All steps of an answer."""
    return [] if steps is None else [steps] if isinstance(steps, Step) else steps
