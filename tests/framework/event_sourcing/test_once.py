"""A command that comes twice takes effect once, and answers the same."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, strategies as st

from neuroglia.core import CommandIds, ConcurrencyError, NotFoundError, RequestContext, SystemIds, Unavailable
from neuroglia.core.context import Reply
from neuroglia.domain import Envelope
from neuroglia.event_sourcing.snapshots import Snapshots
from neuroglia.testing import Crashed, CrashPoints
from tests.framework.event_sourcing.counting import Counter, CounterClosed, CounterIncreased, CounterOpened
from tests.framework.event_sourcing.world import World
from tests.support.engines import DURABLE, Backing

pytestmark = pytest.mark.parametrize("engine", ["memory", *DURABLE], indirect=True)
INCREASE = RequestContext(correlation_id="c", command_id="increase-1")


async def increase(
    world: World, context: RequestContext = INCREASE, by: int = 2, id: str = "1"
) -> tuple[list[Envelope], int, int]:
    """One try of the command: what it recorded, and the total and the version that it answers with."""
    counters = world.repository(context)
    counter = await counters.get(id)
    counter.increase(by)
    counter.increase(by, note="again")
    envelopes = list(await counters.save(counter))
    return envelopes, counter.total, counter.version


async def until_done(world: World, id: str = "1") -> tuple[list[Envelope], int, int]:
    """As the pipeline and a caller that got no answer would do it: again, until it is answered."""
    while True:
        try:
            return await increase(world, id=id)
        except (ConcurrencyError, Unavailable):
            continue


async def rival(world: World, id: str = "1") -> None:
    """Somebody else changes the counter meanwhile."""
    await world.happened(id, CounterIncreased(by=100, note="rival"))


@pytest.mark.parametrize("deliveries", [2, 5])
async def test_given_a_command_when_it_comes_again_then_it_has_one_effect_and_the_same_answer(
    world: World, deliveries: int
) -> None:
    await world.happened("1", CounterOpened(name="x"))

    answers = [await increase(world) for _ in range(deliveries)]

    assert [answer == answers[0] for answer in answers] == [True] * deliveries
    assert (await world.repository().get("1")).total == 4


async def test_given_rivals_between_when_it_comes_again_then_the_answer_is_that_of_the_first_time(world: World) -> None:
    await world.happened("1", CounterOpened(name="x"))
    await rival(world)
    first = await increase(world)
    await rival(world)

    again = await increase(world)

    assert again == first
    assert (again[1], again[2]) == (104, 3)
    assert (await world.repository().get("1")).total == 204


async def test_given_the_clock_went_on_when_it_comes_again_then_the_time_is_the_first_one(
    world: World,
) -> None:
    await world.happened("1", CounterOpened(name="x"))
    first, *_ = await increase(world)
    world.clock.advance(timedelta(hours=1))

    again, *_ = await increase(world)

    assert [envelope.recorded_at for envelope in again] == [envelope.recorded_at for envelope in first]


async def test_given_another_command_when_it_comes_then_it_has_an_effect_of_its_own(world: World) -> None:
    await world.happened("1", CounterOpened(name="x"))
    await increase(world)

    await increase(world, replace(INCREASE, command_id="increase-2"))

    assert (await world.repository().get("1")).total == 8


async def test_given_the_answer_was_lost_when_it_comes_again_then_the_position_is_told(world: World) -> None:
    await world.happened("1", CounterOpened(name="x"))
    first = RequestContext(correlation_id="c", command_id="increase-1")
    again = RequestContext(correlation_id="c", command_id="increase-1")
    await increase(world, first)
    await rival(world)

    await increase(world, again)

    assert again.reply.event_position == first.reply.event_position


async def test_given_a_refusal_after_the_effect_when_it_comes_again_then_it_is_no_refusal(world: World) -> None:
    """The state is that from before the first try: what has happened since must not turn the answer round."""
    await world.happened("1", CounterOpened(name="x"))
    first = await increase(world)
    await world.happened("1", CounterClosed())

    assert await increase(world) == first


async def test_given_a_new_aggregate_when_the_command_comes_again_then_it_is_the_same_one(world: World) -> None:
    async def open_counter() -> tuple[list[Envelope], str]:
        counters = world.repository(INCREASE)
        counter = Counter.open(CommandIds("increase-1").new(), "x")
        return list(await counters.save(counter)), counter.id

    first = await open_counter()
    await world.happened(first[1], CounterIncreased(by=1, note=None))

    assert await open_counter() == first
    assert (await world.repository().get(first[1])).total == 1


async def test_given_an_event_from_before_since_when_it_has_our_id_then_it_is_not_ours(world: World) -> None:
    """Behind `since` nothing of the command can stand; looking further would only cost time."""
    await world.happened("1", CounterOpened(name="x"))
    await increase(world)
    head = await world.events.head()

    counters = world.repository(replace(INCREASE, since=head))
    counter = await counters.get("1")

    assert counter.total == 4


async def test_given_no_aggregate_when_a_command_comes_again_then_it_is_still_not_found(world: World) -> None:
    for _ in range(2):
        with pytest.raises(NotFoundError):
            await increase(world)


async def test_given_a_message_that_has_saved_when_it_saves_again_then_that_is_a_mistake(world: World) -> None:
    counters = world.repository()
    await counters.save(Counter.open("1", "x"))
    head = await world.events.head()

    with pytest.raises(RuntimeError, match="counter-1 before counter-2"):
        await counters.save(Counter.open("2", "y"))

    assert await world.events.head() == head


async def test_given_five_deliveries_at_once_then_there_is_one_effect(world: World) -> None:
    await world.happened("1", CounterOpened(name="x"))

    answers = await asyncio.gather(*(until_done(world) for _ in range(5)))

    assert [answer == answers[0] for answer in answers] == [True] * 5
    assert (await world.repository().get("1")).total == 4


class Photographed(Counter, snapshot_every=2):
    """A counter with a snapshot at every turn."""


POINTS = [
    "before append to counter", "after append to counter", "before commit of snapshots", "after commit of snapshots",
]  # fmt: skip
STEPS = st.lists(st.sampled_from(["deliver", "deliver", "rival", 2, 5, *POINTS]), max_size=12)


@given(steps=STEPS, kind=st.sampled_from([Counter, Photographed]), is_new=st.booleans())
def test_given_any_deliveries_crashes_and_rivals_then_there_is_one_effect_and_one_answer(
    shared_backing: Backing, steps: list[str | int], kind: type[Counter], is_new: bool
) -> None:
    async def play() -> None:
        name = SystemIds().new()  # the stores have what other examples left
        async with World.on(shared_backing) as world:
            command = Delivered(world, name, kind, is_new=is_new)
            await command.begin()
            answers: list[Answer] = []
            rivals = 0
            for step in [*steps, "deliver"]:
                match step:
                    case "rival":
                        if answers or not is_new:  # else there is nothing yet
                            await rival(world, command.id)
                            rivals += 1
                    case "deliver":
                        answers.append(await command.until_done())
                    case int(count):
                        answers += await asyncio.gather(*(command.until_done() for _ in range(count)))
                    case point:
                        async with dying_at(world, point):
                            answers.append(await command.deliver())
                        command.is_in_another_process()
            assert all(answer == answers[0] for answer in answers)
            stream = [event.id async for event in world.events.read(f"counter-{command.id}")]
            assert len(stream) == len(set(stream)) == 3 + rivals
            assert (await world.repository().get(command.id)).total == 4 + 100 * rivals

    asyncio.run(play())


Answer = tuple[list[Envelope], int, int]


class Delivered:
    """A command that may come again and again, to whichever process: it opens a counter, or finds one, and increases
    it twice."""

    def __init__(self, world: World, name: str, kind: type[Counter], *, is_new: bool) -> None:
        self.id = CommandIds(name).new() if is_new else name
        self._world, self._name, self._kind, self._is_new = world, name, kind, is_new

    async def begin(self) -> None:
        """Notes the log position before the first try."""
        if not self._is_new:
            await self._world.happened(self.id, CounterOpened(name="x"))
        self._context = replace(INCREASE, command_id=self._name, since=await self._world.events.head())
        self.is_in_another_process()

    def is_in_another_process(self) -> None:
        """The next try is in one that remembers nothing."""
        self._snapshots = Snapshots(self._world.documents)

    async def deliver(self) -> Answer:
        context = replace(self._context, reply=Reply())
        counters = self._world.repository(context, kind=self._kind, snapshots=self._snapshots)
        counter = self._kind.open(self.id, "x") if self._is_new else await counters.get(self.id)
        counter.increase(2)
        counter.increase(2, note="again")
        envelopes = list(await counters.save(counter))
        return envelopes, counter.total, counter.version

    async def until_done(self) -> Answer:
        while True:
            try:
                return await self.deliver()
            except (ConcurrencyError, Unavailable):
                continue


@asynccontextmanager
async def dying_at(world: World, point: str) -> AsyncGenerator[None]:
    """Lets the process die there, if it comes so far: a try that finds its effect appends nothing."""
    append, commit, points = world.events.append, world.documents.commit, CrashPoints()
    points.watch(world.events)
    points.watch(world.documents)
    points.crash_at(point)
    with suppress(Crashed):
        yield
    world.events.append, world.documents.commit = append, commit  # type: ignore[method-assign]  # the next process
