"""The kit for reactions: it plays the log, notes what is sent, and says what differs."""

from dataclasses import dataclass

import pytest

from neuroglia.domain import Envelope, StateConflict
from neuroglia.event_sourcing import Reaction, on
from neuroglia.mediation import Command, Mediator
from neuroglia.testing import given_reaction
from tests.framework.event_sourcing.counting import Counter, CounterClosed, CounterIncreased, CounterOpened

OPENED = CounterOpened(name="steps")
UP = CounterIncreased(by=1, note=None)


@dataclass(frozen=True, slots=True)
class Praise(Command[str]):
    counter_id: str


@dataclass(frozen=True, slots=True)
class Frame(Command[None]):
    words: str


class Praising(Reaction):
    def __init__(self, mediator: Mediator) -> None:
        self.mediator = mediator

    @on
    async def increased(self, event: CounterIncreased, envelope: Envelope) -> None:
        words = await self.mediator.execute(Praise(envelope.aggregate_id))
        if words:
            await self.mediator.execute(Frame(words))


async def test_given_a_reaction_when_events_happen_then_what_it_sends_is_noted_in_order() -> None:
    kit = given_reaction(Praising).answering(Praise, "well done")

    await kit.when(Counter, "1", OPENED, UP).then_sent(Praise("1"), Frame("well done"))
    await kit.when(Counter, "2", UP, CounterClosed()).then_sent(
        Praise("1"), Frame("well done"), Praise("2"), Frame("well done")
    )


async def test_given_nothing_that_concerns_it_then_nothing_is_sent() -> None:
    await given_reaction(Praising).when(Counter, "1", OPENED).then_sent()


async def test_given_a_refusal_when_it_is_raised_then_the_next_event_is_handled() -> None:
    kit = given_reaction(Praising).answering(Praise, StateConflict("not today"))

    await kit.when(Counter, "1", UP, UP).then_sent(Praise("1"), Praise("1"))


async def test_given_something_else_was_sent_then_the_test_fails_and_says_what() -> None:
    with pytest.raises(AssertionError, match=r"sent were .*Praise.*expected \[\]"):
        await given_reaction(Praising).when(Counter, "1", UP).then_sent()
