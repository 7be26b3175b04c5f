"""A projection's models are built anew beside the live ones, and take their place at one stroke."""

import asyncio
from collections.abc import Sequence

import pytest
from typing_extensions import override

from neuroglia.core import Unavailable
from neuroglia.documents import Documents, DocumentType, Session, Write
from neuroglia.domain import Envelope
from neuroglia.event_sourcing import SubscriptionState, on
from neuroglia.event_sourcing.handlers import ATTEMPTS
from neuroglia.event_sourcing.subscriptions import ProjectionRunner, projection_runner
from neuroglia.testing import CrashPoints
from tests.framework.event_sourcing.counting import CounterIncreased, CounterOpened, CounterProjection, CounterView
from tests.framework.event_sourcing.events import LIMIT_S
from tests.framework.event_sourcing.faults import FlakyDocuments, Probe, ProbedProjection, TouchyDocuments
from tests.framework.event_sourcing.test_parking import POISON, Ward, WardedProjection
from tests.framework.event_sourcing.world import VIEWS, World, nothing_parked, parked_items, passed, run, state
from tests.support.waiting import eventually

OPENED = CounterOpened(name="steps")
UP = CounterIncreased(by=1, note=None)


class Doubling(CounterProjection, name="CounterProjection"):
    """The next version of the projection, which shows twice as much."""

    @override
    @on
    async def increased(self, event: CounterIncreased, envelope: Envelope) -> None:
        view = await self.views.get(envelope.aggregate_id)
        view.total += 2 * event.by
        view.revisions.append(envelope.revision)
        await self.views.save(view)


async def shown(runner: ProjectionRunner, id: str = "1") -> CounterView | None:
    """What a query in the runner's process reads."""
    session = Session(runner._means.documents, runner._means.generations)
    return await Documents(VIEWS, session).lookup(id)


async def swapped(runner: ProjectionRunner, generation: int = 2) -> None:
    async def is_live() -> bool:
        return runner._live.generation == generation

    await eventually(is_live)


async def test_given_another_version_when_rebuilt_then_all_events_are_shown_as_it_does(world: World) -> None:
    end = await world.happened("1", OPENED, UP, UP)
    old = world.runner()
    async with run(old):
        await passed(old, end.position)
    assert await shown(old) == CounterView(id="1", name="steps", total=2, revisions=[0, 1, 2])

    new = world.runner(Doubling)
    async with run(new):
        await state(new, SubscriptionState.LIVE)
        await new.rebuild()
        await swapped(new)
        end = await world.happened("1", UP)
        await passed(new, end.position)

        assert await shown(new) == CounterView(id="1", name="steps", total=6, revisions=[0, 1, 2, 3])
        assert (new.status.rebuilt, new.status.error) == (None, None)
    assert await world.checkpoint("CounterProjection@2") == end.position


async def test_given_a_swap_then_readers_in_other_processes_follow_and_positions_only_grow(world: World) -> None:
    end = await world.happened("1", OPENED, UP)
    working, reading = world.runner(Doubling, lease_s=0.1), world.runner(Doubling, lease_s=0.1)

    async with run(working):
        await passed(working, end.position)
        async with run(reading):
            await state(reading, SubscriptionState.STANDBY)
            await reading.rebuild()  # asked for where it does not run
            await swapped(working)
            end = await world.happened("1", UP)
            await reading.wait_for(end.position, LIMIT_S)

            assert reading.status.position == end.position
            assert await shown(reading) == CounterView(id="1", name="steps", total=4, revisions=[0, 1, 2])


async def test_given_a_rebuild_then_the_live_generation_is_read_and_kept_up_to_date(world: World) -> None:
    await world.happened("1", OPENED, UP)
    probe = Probe()
    runner = world.runner(ProbedProjection, probe)

    async with run(runner):
        await state(runner, SubscriptionState.LIVE)
        probe.hold()
        await runner.rebuild()
        await probe.entered.wait()  # the rebuild is under way
        assert await shown(runner) == CounterView(id="1", name="steps", total=1, revisions=[0, 1])
        end = await world.happened("2", OPENED)
        await passed(runner, end.position)
        assert await shown(runner, "2") == CounterView(id="2", name="steps", revisions=[0])
        assert runner._live.generation == 1
        probe.release.set()
        await swapped(runner)

        assert await shown(runner) == CounterView(id="1", name="steps", total=1, revisions=[0, 1])
        assert await shown(runner, "2") == CounterView(id="2", name="steps", revisions=[0])


async def test_given_reads_all_the_time_when_swapped_then_each_sees_one_whole_generation(world: World) -> None:
    ids = [str(number) for number in range(20)]
    for id_ in ids:
        end = await world.happened(id_, OPENED, UP)
    old = world.runner()
    async with run(old):
        await passed(old, end.position)
    runner = world.runner(Doubling)
    seen: set[tuple[int, ...]] = set()

    async def read() -> None:
        while runner._live.generation == 1 or len(seen) < 2:
            documents = Documents(VIEWS, Session(runner._means.documents, runner._means.generations))
            views = []
            for id_ in ids:
                views.append(await documents.get(id_))
                await asyncio.sleep(0)
            seen.add(tuple(view.total for view in views))

    async with run(runner), asyncio.timeout(LIMIT_S):
        await state(runner, SubscriptionState.LIVE)
        readers = [asyncio.create_task(read()) for _ in range(5)]
        await runner.rebuild()
        await asyncio.gather(*readers)

    assert seen == {(1,) * 20, (2,) * 20}


POINTS = [
    *[("commit of checkpoints, counters__2", nth) for nth in (1, 2)],
    ("commit of generations", 1),
]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("point", "nth"), POINTS)
async def test_given_a_crash_at_any_point_of_a_rebuild_when_another_process_goes_on_then_it_is_right(
    world: World, when: str, point: str, nth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection_runner, "_STRIDE", 50)
    end = await world.happened("1", OPENED, *[UP] * 70)
    first = world.runner()
    async with run(first):
        await passed(first, end.position)
    await first.rebuild()

    points = CrashPoints()
    points.watch(documents := FlakyDocuments(world.documents))
    points.crash_at(f"{when} {point}", nth=nth)
    dying = world.runner(documents=documents, lease_s=0.05)
    task = asyncio.create_task(dying.run())
    await crash(points, task)

    other = world.runner(lease_s=0.05)
    async with run(other):
        await swapped(other)
        end = await world.happened("1", UP)
        await passed(other, end.position)
        assert await shown(other) == CounterView(id="1", name="steps", total=71, revisions=list(range(72)))


@pytest.mark.parametrize("faults", [["after"], ["before", "after"], ["after", "after", "before"]])
async def test_given_a_rebuild_whose_answers_are_lost_then_it_goes_on(
    world: World, faults: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection_runner, "_STRIDE", 200)
    end = await world.happened("1", OPENED, *[UP] * 700)
    documents = FlakyDocuments(world.documents)
    runner = world.runner(documents=documents, lease_s=0.05)

    async with run(runner):
        await passed(runner, end.position)
        documents.faults[:] = ["ok", *faults]  # the request itself goes through
        await runner.rebuild()
        await swapped(runner)
        assert documents.faults == []
        assert await shown(runner) == CounterView(id="1", name="steps", total=700, revisions=list(range(701)))


async def crash(points: CrashPoints, task: asyncio.Task[None]) -> None:
    """Returns when the process has crashed; what is left of it ends, too, and gives nothing back."""

    async def dead() -> bool:
        return points.crashed

    await eventually(dead)
    task.cancel()
    await asyncio.wait([task])


async def test_given_poison_in_a_rebuild_then_it_is_parked_in_the_new_generation(world: World) -> None:
    end = await world.happened("1", OPENED, UP)
    old = world.runner()
    async with run(old):
        await passed(old, end.position)

    def fail(_: int) -> None:
        raise ZeroDivisionError

    class Failing(ProbedProjection, name="CounterProjection"):
        pass

    probe = Probe(fail)
    runner = world.runner(Failing, probe)
    async with run(runner):
        await state(runner, SubscriptionState.LIVE)
        await runner.rebuild()
        await swapped(runner)
        assert (runner.status.parked, runner.status.state) == (1, SubscriptionState.LIVE)
        probe._on_event = lambda _: None
        await runner.replay()
        await nothing_parked(runner)
        assert await shown(runner) == CounterView(id="1", name="steps", total=1, revisions=[0, 1])


async def test_given_a_swapped_generation_when_the_next_version_declares_an_index_then_that_is_made(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = world.runner()
    async with run(runner):
        await runner.rebuild()
        await swapped(runner)
    prepared: list[str] = []
    prepare = world.documents.prepare

    async def watched(types: Sequence[DocumentType[CounterView]]) -> None:
        prepared.extend(kind.collection for kind in types)
        await prepare(types)

    monkeypatch.setattr(world.documents, "prepare", watched)
    await world.runner().look()  # as at the start of the next process

    assert prepared == ["counters__2"]


async def test_given_a_swap_when_nobody_reads_the_old_generation_any_more_then_it_is_removed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection_runner, "_KEEP_S", 0.0)
    end = await world.happened("1", OPENED, UP)
    runner = world.runner(lease_s=0.02)

    async with run(runner):
        await passed(runner, end.position)
        for generation in (2, 3):
            await runner.rebuild()
            await swapped(runner, generation)

        async def gone() -> bool:
            return not runner._retired

        await eventually(gone)
        assert await shown(runner) == CounterView(id="1", name="steps", total=1, revisions=[0, 1])

    assert [await world.checkpoint(f"CounterProjection@{number}") for number in (1, 2, 3)] == [None, None, end.position]


async def test_given_a_rebuild_under_way_when_it_is_asked_for_again_then_there_is_one(world: World) -> None:
    end = await world.happened("1", OPENED, UP)
    runner = world.runner()
    await runner.rebuild()
    await runner.rebuild()

    async with run(runner):
        await swapped(runner)
        await passed(runner, end.position)
        assert await shown(runner) == CounterView(id="1", name="steps", total=1, revisions=[0, 1])


async def test_given_poison_and_then_a_stop_in_a_rebuild_when_it_goes_on_then_what_follows_is_parked_behind(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projection_runner, "_STRIDE", 2)
    ward = Ward()
    ward.poisoned = lambda _: False
    await world.happened("1", OPENED, POISON)
    await world.happened("2", OPENED, CounterIncreased(by=1, note="late"))
    end = await world.happened("1", UP)
    first = world.runner(WardedProjection, ward)
    async with run(first):
        await passed(first, end.position)
    await first.rebuild()

    late = asyncio.Event()

    def poisoned(event: CounterIncreased) -> bool:
        if event.note == "late" and not late.is_set():
            late.set()
            stopping._patience.stopping.set()
            raise Unavailable("the first stride is done, the second one is not")
        return event.note == "poison"

    ward.poisoned = poisoned
    stopping = world.runner(WardedProjection, ward)
    async with run(stopping):
        await late.wait()

    other = world.runner(WardedProjection, ward)
    async with run(other):
        await swapped(other)
        assert other.status.parked == 1
        assert await shown(other) == CounterView(id="1", name="steps", total=0, revisions=[0])
        ward.poisoned = lambda _: False
        await other.replay()
        await nothing_parked(other)
        assert await shown(other) == CounterView(id="1", name="steps", total=101, revisions=[0, 1, 2])


def swaps(write: Write) -> bool:
    return write.collection == "generations" and b'"live":2' in (write.body or b"")


async def test_given_a_swap_that_is_not_answered_then_the_runner_finds_out_and_goes_on_with_it(world: World) -> None:
    end = await world.happened("1", OPENED, UP)
    documents = TouchyDocuments(world.documents, "after")
    documents.meant = swaps
    runner = world.runner(Doubling, documents=documents)

    async with run(runner):
        await passed(runner, end.position)
        await runner.rebuild()
        await swapped(runner)
        end = await world.happened("1", UP)
        await passed(runner, end.position)
        assert documents.touched.is_set()
        assert await shown(runner) == CounterView(id="1", name="steps", total=4, revisions=[0, 1, 2])


async def test_given_a_rebuild_that_is_asked_for_again_while_it_swaps_then_it_still_swaps(world: World) -> None:
    end = await world.happened("1", OPENED, UP)
    asking = world.runner()

    class Asking(FlakyDocuments):
        asked = False

        @override
        async def commit(self, writes: Sequence[Write]) -> None:
            if not self.asked and any(map(swaps, writes)):
                self.asked = True
                await asking.rebuild()
            await super().commit(writes)

    documents = Asking(world.documents)
    runner = world.runner(documents=documents)
    async with run(runner):
        await passed(runner, end.position)
        await runner.rebuild()
        await swapped(runner)
        assert documents.asked


async def test_given_an_event_that_kills_the_process_in_a_rebuild_then_after_so_many_deaths_it_is_parked(
    world: World,
) -> None:
    class Killing(ProbedProjection, name="CounterProjection"):
        pass

    def die(_: int) -> None:
        dying.cancel()

    end = await world.happened("1", OPENED, UP)
    first = world.runner()
    async with run(first):
        await passed(first, end.position)
    await first.rebuild()

    probe = Probe(die)
    probe.hold()
    for _ in range(1 + ATTEMPTS):
        dying = asyncio.create_task(world.runner(Killing, probe, lease_s=0.02).run())
        async with asyncio.timeout(LIMIT_S):
            await asyncio.wait([dying])

    survivor = world.runner(Killing, probe, lease_s=0.02)
    async with run(survivor):
        await swapped(survivor)
        (item,) = await parked_items(survivor)
        assert (item.error, item.attempts) == ("ProcessDied", ATTEMPTS)
    assert probe.calls == 1 + ATTEMPTS
