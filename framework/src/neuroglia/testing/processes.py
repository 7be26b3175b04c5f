"""Given a process manager, when an event happens or a step ends, then these commands follow."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from neuroglia.core import Clock
from neuroglia.mediation import Command
from neuroglia.process_managers import ProcessManager, Refusal, Step
from neuroglia.process_managers.steps import as_sequence
from neuroglia.testing.subscribers import GivenSubscriber


class GivenProcess(GivenSubscriber):
    """A process manager, and the events that it is asked about."""

    @property
    def steps(self) -> "GivenSteps":
        """What follows from the last event."""
        event = self._log[-1].event
        handler = self._type.handlers.get(type(event))
        return GivenSteps(as_sequence(handler(self._type.subscriber(), event, self._log[-1]) if handler else None))


class GivenSteps:
    """Steps of a process, of which none is carried out."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps

    def then(self, *commands: Command[Any], after: timedelta | None = None) -> "GivenSteps":
        """Exactly these commands are sent, at once or after so long."""
        sent = [step.command for step in self._steps if step.after == after]
        assert sent == list(commands), f"sent are {sent}, expected {list(commands)}"
        return self

    def when_done(self) -> "GivenSteps":
        """They are carried out."""
        return GivenSteps([step.done for step in self._steps if step.done])

    def when_refused(self, refusal: Refusal) -> "GivenSteps":
        """They are refused."""
        return GivenSteps([step.refused(refusal) for step in self._steps if step.refused])


def given_process(manager: type[ProcessManager], *, clock: Clock | None = None) -> GivenProcess:
    """A process manager that has seen nothing yet; `clock` says when events happen."""
    return GivenProcess(manager, (), clock)
