"""Process managers: what several aggregates do together, one command after the other.

The state of a process is an aggregate of its own; here stands only which command follows from which event.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from typing_extensions import override

from neuroglia.domain import AggregateRoot
from neuroglia.event_sourcing import Reaction
from neuroglia.mediation import Query
from neuroglia.process_managers.runner import ProcessRunner

SWEEP: Final = timedelta(seconds=30)


class ProcessManager(Reaction, ABC):
    """Base of process managers: reactions whose `@on` methods are plain functions from an event to its `Steps`.

    They may be asked again for an event, and must answer the same: they read nothing and decide nothing.

    Attributes:
        of: the aggregate class that holds the state of a process.
        sweep: a process at which nothing happens for so long is given its next step again. None was lost, unless
            somebody discarded an event; a sweep finds such processes, too.
    """

    pure = True
    runner = ProcessRunner
    of: ClassVar[type[AggregateRoot]]
    sweep: ClassVar[timedelta]

    @override
    def __init_subclass__(cls, *, of: type[AggregateRoot], sweep: timedelta = SWEEP, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.of, cls.sweep = of, sweep

    @abstractmethod
    def unfinished(self, before: datetime) -> Query[Sequence[str]]:
        """What to ask for the ids of processes that are not final, and at which nothing happened since `before`. Some
        hundred at once will do, the longest standing first: the next sweep finds others."""
