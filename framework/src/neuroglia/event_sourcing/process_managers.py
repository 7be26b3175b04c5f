"""Process managers: what several aggregates do together, one command after the other.

The state of a process is an aggregate of its own; here stands only which command follows from which event.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, TypeAlias

from typing_extensions import override

from neuroglia.core.errors import NotFoundError
from neuroglia.domain import AggregateRoot, DomainError
from neuroglia.event_sourcing.reactions import Reaction
from neuroglia.mediation import Command, Query

Refusal: TypeAlias = DomainError | NotFoundError
SWEEP: Final = timedelta(seconds=30)


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


class ProcessManager(Reaction, ABC):
    """Base of process managers: reactions whose `@on` methods are plain functions from an event to its `Steps`.

    They may be asked again for an event, and must answer the same: they read nothing and decide nothing.

    Attributes:
        of: the aggregate class that holds the state of a process.
        sweep: a process at which nothing happens for so long is given its next step again. None was lost, unless
            somebody discarded an event; a sweep finds such processes, too.
    """

    pure = True
    of: ClassVar[type[AggregateRoot]]
    sweep: ClassVar[timedelta]

    @override
    def __init_subclass__(cls, *, of: type[AggregateRoot], sweep: timedelta = SWEEP, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.of, cls.sweep = of, sweep

    @abstractmethod
    def unfinished(self, before: datetime) -> Query[Sequence[str]]:
        """What to ask for the ids of the processes that are not final, and at which nothing happened since `before`."""


def as_sequence(steps: Steps) -> Sequence[Step]:
    """All steps of an answer."""
    return [] if steps is None else [steps] if isinstance(steps, Step) else steps
