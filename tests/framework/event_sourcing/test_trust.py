"""A command may stand on the state that is remembered, for before its answer the log has confirmed that."""

from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager, nullcontext, suppress
from typing import TypeVar

import pytest
from hypothesis import given, strategies as st

from neuroglia.core import ConcurrencyError, RequestContext, SystemIds
from neuroglia.domain import StateConflict
from neuroglia.event_sourcing import EventSourcedRepository, stream_name
from neuroglia.event_sourcing.once import OneCommand
from neuroglia.event_sourcing.snapshots import Snapshots
from tests.framework.event_sourcing.counting import Counter, CounterIncreased
from tests.framework.event_sourcing.world import World

T = TypeVar("T")
ELSEWHERE = CounterIncreased(by=100, note="elsewhere")


class Remembered(Counter, snapshot_every=10):
    """A counter whose latest state stays in memory."""


class Process:
    """A process that handles commands: what it remembers outlives each of them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.snapshots = Snapshots(world.documents)

    @asynccontextmanager
    async def command(self, context: RequestContext | None = None) -> AsyncGenerator[EventSourcedRepository[Counter]]:
        """The repository of one command, handled as the mediator does."""
        command = OneCommand(context or RequestContext.new(), SystemIds())
        command.begin()
        try:
            yield self.world.repository(context, kind=Remembered, snapshots=self.snapshots, command=command)
        except StateConflict:
            await command.confirm()
            raise
        await command.commit()

    async def increase(self, id: str = "1", context: RequestContext | None = None) -> Counter:
        async with self.command(context) as counters:
            counter = await counters.get(id)
            counter.increase(1)
            await counters.save(counter)
        return counter


@pytest.fixture
async def process(world: World) -> Process:
    """One that has opened two counters, and remembers them."""
    process = Process(world)
    for id in ("1", "2"):
        async with process.command() as counters:
            await counters.save(Remembered.open(id))
    return process


@pytest.fixture
def read(process: Process, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The streams that are read from now on."""
    streams: list[str] = []
    read_page = process.world.events.read_page

    def watched(stream: str, *, after: int, limit: int) -> Awaitable[object]:
        streams.append(stream)
        return read_page(stream, after=after, limit=limit)

    monkeypatch.setattr(process.world.events, "read_page", watched)
    return streams


async def test_given_nobody_else_when_commands_append_then_the_log_need_not_be_read(
    process: Process, read: list[str]
) -> None:
    assert [(await process.increase()).total for _ in range(3)] == [1, 2, 3]
    assert read == []


async def test_given_an_append_elsewhere_when_a_command_appends_then_it_conflicts_and_the_next_try_sees_all(
    process: Process,
) -> None:
    await process.world.happened("1", ELSEWHERE)

    with pytest.raises(ConcurrencyError):
        await process.increase()

    assert (await process.increase()).total == 101


async def test_given_an_append_elsewhere_when_a_command_is_refused_then_it_is_no_refusal_but_a_conflict(
    process: Process,
) -> None:
    await process.world.happened("1", ELSEWHERE)

    async def refuse() -> None:
        async with process.command() as counters:
            counter = await counters.get("1")
            if counter.total < 100:
                raise StateConflict("too little")

    with pytest.raises(ConcurrencyError) as conflict:
        await refuse()
    assert (conflict.value.stream, conflict.value.expected, conflict.value.actual) == ("counter-1", 0, 1)

    await refuse()  # decides on all that has happened


async def test_given_nobody_else_when_a_command_is_refused_then_the_refusal_stands(process: Process) -> None:
    with pytest.raises(StateConflict):
        async with process.command() as counters:
            (await counters.get("1")).increase(-1)


async def test_given_an_append_elsewhere_when_a_command_appends_nothing_then_it_is_a_conflict(process: Process) -> None:
    await process.world.happened("1", ELSEWHERE)

    with pytest.raises(ConcurrencyError):
        async with process.command() as counters:
            await counters.get("1")


async def test_given_an_append_elsewhere_when_a_command_appends_to_another_stream_then_it_does_not(
    process: Process,
) -> None:
    await process.world.happened("1", ELSEWHERE)

    async def copy() -> None:
        async with process.command() as counters:
            first, second = await counters.get("1"), await counters.get("2")
            second.increase(first.total + 1)
            await counters.save(second)

    with pytest.raises(ConcurrencyError):
        await copy()

    assert (await process.world.repository().get("2")).total == 0


async def test_given_an_append_elsewhere_when_a_command_loads_the_same_aggregate_twice_then_it_is_a_conflict(
    process: Process,
) -> None:
    """The second one is read from the log, and is at another version than the one that was taken on trust."""
    await process.world.happened("1", ELSEWHERE)

    async def double() -> None:
        async with process.command() as counters:
            first, second = await counters.get("1"), await counters.get("1")
            second.increase(first.total + 1)
            await counters.save(second)

    with pytest.raises(ConcurrencyError):
        await double()


async def test_given_two_aggregates_when_a_command_loads_both_then_only_one_of_them_is_taken_on_trust(
    process: Process,
) -> None:
    await process.world.happened("2", ELSEWHERE)

    async with process.command() as counters:
        _, second = await counters.get("1"), await counters.get("2")

    assert second.total == 100


@pytest.mark.parametrize("begun", [False, True])
async def test_given_a_message_that_nobody_will_confirm_or_that_may_be_a_repeat_when_loading_then_the_log_is_asked(
    process: Process, begun: bool
) -> None:
    await process.world.happened("1", ELSEWHERE)
    repeat = RequestContext(correlation_id="c", command_id="once", since=-1) if begun else None
    command = OneCommand(repeat or RequestContext.new(), SystemIds())
    if begun:
        command.begin()

    counters = process.world.repository(repeat, kind=Remembered, snapshots=process.snapshots, command=command)

    assert (await counters.get("1")).total == 100


async def test_given_another_log_when_the_remembered_state_is_confirmed_then_it_is_a_conflict(process: Process) -> None:
    """As after an older copy of the data was put back under a running process."""
    async with World.open() as other:
        await other.happened("1", ELSEWHERE, expected=-1)
        process.world = other

        with pytest.raises(ConcurrencyError):
            async with process.command() as counters:
                await counters.get("1")


async def test_given_many_streams_when_they_leave_memory_then_nothing_of_them_is_left(
    process: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neuroglia.event_sourcing.snapshots._IN_MEMORY", 1)
    await process.increase("1")
    await process.increase("2")

    assert list(process.snapshots._latest) == [stream_name(Remembered, "2")]


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 1]),
        st.sampled_from(["append", "append to the other", "refuse", "go on after a refusal", "do nothing"]),
        st.sampled_from("12"),
        st.sampled_from("12"),
    ),
    max_size=40,
)


async def try_once(process: Process, what: str, id: str, other_id: str, seen: list[tuple[str, int]]) -> None:
    """One try of a command, and the totals that it decided on."""
    async with process.command() as counters:
        counter = await counters.get(id)
        seen.append((id, counter.total))
        match what:
            case "append":
                counter.increase(1)
                await counters.save(counter)
            case "append to the other":
                other = await counters.get(other_id)
                seen.append((other_id, other.total))
                other.increase(1)
                await counters.save(other)
            case "refuse":
                raise StateConflict("no")
            case "go on after a refusal":
                with suppress(StateConflict):
                    counter.increase(-1)
                counter.increase(1)
                await counters.save(counter)


@given(steps=STEPS)
async def test_given_any_commands_of_two_processes_then_each_is_decided_on_all_that_came_before(
    steps: list[tuple[int, str, str, str]],
) -> None:
    async with World.open() as world:
        processes = [Process(world), Process(world)]
        totals = {"1": 0, "2": 0}
        for id in totals:
            async with processes[0].command() as counters:
                await counters.save(Remembered.open(id))

        for number, what, id, other_id in steps:
            seen: list[tuple[str, int]] = []
            with pytest.raises(StateConflict) if what == "refuse" else nullcontext():
                while True:
                    seen.clear()
                    try:
                        await try_once(processes[number], what, id, other_id, seen)
                        break
                    except ConcurrencyError:
                        continue
            assert all(total == totals[id] for id, total in seen)
            totals[other_id if what == "append to the other" else id] += what.startswith(("append", "go on"))
