"""A log that has lost its last events: what is appended then stands in their places, and must not be taken for them."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from neuroglia.core import CommandIds, RequestContext, Unavailable
from neuroglia.event_sourcing import Reaction, SubscriptionState, on
from neuroglia.event_sourcing.adapters.sqlite import SqliteEventStore
from neuroglia.event_sourcing.subscriptions import SubscriptionRunner
from tests.framework.event_sourcing.counting import Counter, CounterIncreased, CounterOpened
from tests.framework.event_sourcing.world import World, passed, run, state
from tests.support.waiting import eventually

OPENED = CounterOpened(name="steps")
UP = CounterIncreased(by=1, note=None)


class Hearing(Reaction):
    """Listens to counters."""

    @on
    async def increased(self, event: CounterIncreased) -> None:
        """All is well."""


async def lose_what_is_behind(position: int, events: SqliteEventStore, file: Path) -> None:
    """The machine loses power, and the disk what it had promised to keep."""
    await events.aclose()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("DELETE FROM events WHERE position > ?", (position,))
    await events.open()


@pytest.mark.parametrize("make", [World.runner, lambda world: world.reaction(Hearing)], ids=["projection", "reaction"])
async def test_given_a_log_that_has_grown_again_past_the_checkpoint_then_it_is_still_told(
    tmp_path: Path, make: Callable[[World], SubscriptionRunner]
) -> None:
    file = tmp_path / "events.db"
    async with World.open(events := SqliteEventStore(str(file))) as world:
        end = await world.happened("1", OPENED, *[UP] * 4)
        async with run(runner := make(world)):
            await passed(runner, end.position)
        shown = await world.view("1")
        await lose_what_is_behind(2, events, file)

        runner = make(world)
        tries = count_tries(runner)
        async with run(runner):
            await state(runner, SubscriptionState.RETRYING)
            assert (runner.status.error, runner.status.position) == ("LogBehindCheckpoint", end.position)
            grown = await world.happened("1", *[CounterIncreased(by=100, note=None)] * 4)
            assert grown.position > end.position
            before = tries()

            async def has_tried_again() -> bool:
                return tries() > before + 3

            await eventually(has_tried_again)
            assert (runner.status.error, runner.status.position) == ("LogBehindCheckpoint", end.position)
        assert await world.view("1") == shown


@pytest.mark.parametrize("is_new", [False, True], ids=["existing", "new"])
async def test_given_a_command_that_began_behind_the_loss_then_it_waits_and_has_one_effect(
    tmp_path: Path, is_new: bool
) -> None:
    """What it appended in the places of lost events could not be known again when it came the next time."""
    file, id = tmp_path / "events.db", CommandIds("once").new()
    async with World.open(events := SqliteEventStore(str(file))) as world:
        await world.happened("1", OPENED, *[UP] * 6)
        context = RequestContext(correlation_id="c", command_id="once", since=await events.head())
        await lose_what_is_behind(3, events, file)

        async def deliver() -> None:
            counters = world.repository(replace(context))
            counter = Counter.open(id) if is_new else await counters.get("1")
            counter.increase(100)
            await counters.save(counter)

        for position in (4, 5, 6):
            with pytest.raises(Unavailable, match="lost"):
                await deliver()
            assert (await world.happened("1", UP)).position == position, "nothing was written"
        await world.happened("1", UP)
        for _ in range(3):
            await deliver()

        assert (await world.repository().get(id if is_new else "1")).total == (100 if is_new else 106)


def count_tries(runner: SubscriptionRunner) -> Callable[[], int]:
    """How often a runner has waited to try again."""
    tries, pause = 0, runner._patience.pause

    async def counted(seconds: float) -> None:
        nonlocal tries
        tries += 1
        await pause(seconds)

    runner._patience.pause = counted  # type: ignore[method-assign]
    return lambda: tries
