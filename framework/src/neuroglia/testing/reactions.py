"""Given a reaction, when events happen, then it sends these commands."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Self, TypeVar, cast

from typing_extensions import override

from neuroglia.core import Clock
from neuroglia.domain import DomainError
from neuroglia.event_sourcing import Reaction
from neuroglia.mediation import Mediator, Request
from neuroglia.testing.subscribers import GivenSubscriber

R = TypeVar("R")


class RecordingMediator(Mediator):
    """Notes what is sent, and answers as it is told; None where it is told nothing.

    Attributes:
        sent: all requests, in order.
        answers: by type of request; an exception is raised.
    """

    def __init__(self) -> None:
        self.sent: list[Request[Any]] = []
        self.answers: dict[type[Request[Any]], object] = {}

    @override
    async def execute(self, request: Request[R], /) -> R:
        self.sent.append(request)
        answer = self.answers.get(type(request))
        if isinstance(answer, Exception):
            raise answer
        return cast("R", answer)


class GivenReaction(GivenSubscriber):
    """A reaction, the log that it sees, and a mediator that only notes what is sent."""

    def __init__(self, reaction: type[Reaction], needs: Sequence[object], clock: Clock | None) -> None:
        self._mediator = RecordingMediator()
        super().__init__(reaction, [*needs, self._mediator], clock)

    def answering(self, request: type[Request[Any]], answer: object) -> Self:
        """Requests of this type are answered with this; an exception is raised."""
        self._mediator.answers[request] = answer
        return self

    async def then_sent(self, *requests: Request[Any]) -> None:
        """Exactly these were sent, in this order. A refusal by the domain is an answer, and ends that event."""
        sent = self._mediator.sent = []
        async with self._stage() as services:
            for envelope in self._log:
                with suppress(DomainError):
                    await self._handle(services, envelope)
        assert sent == list(requests), f"sent were {sent}, expected {list(requests)}"


def given_reaction(reaction: type[Reaction], *needs: object, clock: Clock | None = None) -> GivenReaction:
    """A reaction that has seen nothing yet; see `given_projection`."""
    return GivenReaction(reaction, needs, clock)
