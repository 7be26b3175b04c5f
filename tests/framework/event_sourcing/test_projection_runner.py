"""The runner: every event once, in order, whatever fails meanwhile."""

import asyncio
import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from typing_extensions import override

from neuroglia.core import Unavailable, current_context
from neuroglia.documents import Session, StoredDocument
from neuroglia.documents.adapters.sqlite import SqliteDocumentStore
from neuroglia.event_sourcing import BEGINNING, NO_STREAM, SubscriptionState
from neuroglia.event_sourcing.adapters.sqlite import SqliteEventStore
from neuroglia.event_sourcing.handlers import ATTEMPTS
from tests.framework.event_sourcing.counting import CounterClosed, CounterIncreased, CounterOpened, CounterView
from tests.framework.event_sourcing.events import LIMIT_S, new_events
from tests.framework.event_sourcing.faults import (
    ChoppedEvents,
    FlakyDocuments,
    Probe,
    ProbedProjection,
    RepeatingEvents,
    SlowDocuments,
)
from tests.framework.event_sourcing.world import VIEWS, World, nothing_parked, parked_items, passed, run, state

OPENED = CounterOpened(name="steps")
UP = CounterIncreased(by=1, note=None)


# -- catching up and following -------------------------------------------------------------------------------------


async def test_given_a_history_when_the_runner_starts_then_it_catches_up_and_then_follows(world: World) -> None:
    before = await world.happened("1", OPENED, UP, UP)
    runner = world.runner()
    assert runner.status.state is SubscriptionState.STARTING

    async with run(runner):
        await passed(runner, before.position)
        await state(runner, SubscriptionState.LIVE)
        assert await world.view("1") == CounterView(id="1", name="steps", total=2, revisions=[0, 1, 2])
        for _ in range(3):
            after = await world.happened("1", UP)
            await passed(runner, after.position)
            assert await world.checkpoint() == after.position

    assert await world.view("1") == CounterView(id="1", name="steps", total=5, revisions=[0, 1, 2, 3, 4, 5])
    assert runner.status.state is SubscriptionState.STOPPED
    assert (runner.status.error, runner.status.unknown_events) == (None, 0)


async def test_given_no_events_when_the_runner_starts_then_it_is_live_and_has_written_nothing(world: World) -> None:
    runner = world.runner()

    async with run(runner):
        await state(runner, SubscriptionState.LIVE)

    assert runner.status.position == BEGINNING
    assert await world.checkpoint() is None


async def test_given_a_long_history_when_the_runner_catches_up_then_it_goes_in_batches(
    world: World,
) -> None:
    end = await world.happened("1", OPENED, *[UP] * 1200)
    documents = FlakyDocuments(world.documents)
    runner = world.runner(documents=documents)

    async with run(runner):
        await passed(runner, end.position)

    view = await world.view("1")
    assert view is not None
    assert view.total == 1200
    assert documents.commits == 3


async def test_given_streams_of_others_when_the_runner_follows_then_they_do_not_concern_it(world: World) -> None:
    own = await world.happened("1", OPENED)
    await world.events.append("counters-1", new_events(3), NO_STREAM)
    runner = world.runner()

    async with run(runner):
        await passed(runner, own.position)
        await state(runner, SubscriptionState.LIVE)
        assert await runner.last_own_position(await world.events.head()) == own.position
    assert (runner.status.position, runner.status.unknown_events) == (own.position, 0)


async def test_given_a_long_log_of_others_when_the_own_end_is_asked_for_often_then_it_is_looked_for_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    last_position = world.events.last_position

    async def unreadable(**_: object) -> object:
        raise Unavailable("no such place")

    async def watched(*, prefixes: Sequence[str], at_most: int) -> int:
        looks.extend([at_most] if prefixes else [])
        return await last_position(prefixes=prefixes, at_most=at_most)

    monkeypatch.setattr(world.events, "last_position", watched)
    own = await world.happened("1", OPENED)
    runner = world.runner()
    for number in range(3):
        await world.events.append(f"other-{number}", new_events(3), NO_STREAM)
        assert await runner.own_end(await world.events.head()) == own.position
    assert len(looks) == 1

    later = await world.happened("1", UP)
    await world.events.append("other-3", new_events(3), NO_STREAM)
    assert await runner.own_end(await world.events.head()) == later.position
    assert await runner.own_end(later.position - 1) == own.position  # the log has lost its end
    assert len(looks) == 3

    await world.events.append("other-4", new_events(3), NO_STREAM)
    with monkeypatch.context() as patched:
        patched.setattr(world.events, "read_all", unreadable)
        with pytest.raises(Unavailable):  # another log was put back, which has nothing at that place
            await runner.own_end(await world.events.head())
        assert await runner.own_end(await world.events.head()) == later.position


async def test_when_a_handler_runs_then_it_does_so_for_the_projection_with_the_events_correlation(
    world: World,
) -> None:
    probe = Probe()
    end = await world.happened("1", OPENED, UP)
    runner = world.runner(ProbedProjection, probe)

    async with run(runner):
        await passed(runner, end.position)

    (context,) = probe.contexts
    assert (context.principal.id, context.correlation_id) == ("system:ProbedProjection", "test")


# -- once, and only once -------------------------------------------------------------------------------------------


async def test_given_a_checkpoint_when_another_runner_starts_then_it_goes_on_behind_it(world: World) -> None:
    for _ in range(4):
        end = await world.happened("1", UP) if await world.view("1") else await world.happened("1", OPENED)
        runner = world.runner()
        async with run(runner):
            await passed(runner, end.position)
        again = world.runner()
        async with run(again):
            await state(again, SubscriptionState.LIVE)
            assert again.status.position == end.position

    assert await world.view("1") == CounterView(id="1", name="steps", total=3, revisions=[0, 1, 2, 3])


@pytest.mark.parametrize("faults", [["before"], ["after"], ["before", "before", "after"], ["after", "before"]])
async def test_given_a_commit_that_fails_when_it_is_tried_again_then_each_event_takes_effect_once(
    world: World, faults: list[str]
) -> None:
    documents = FlakyDocuments(world.documents, *faults)
    runner = world.runner(documents=documents)
    first = await world.happened("1", OPENED, UP)

    async with run(runner):
        await passed(runner, first.position)
        end = await world.happened("1", UP)
        await passed(runner, end.position)

    assert documents.faults == []
    assert await world.view("1") == CounterView(id="1", name="steps", total=2, revisions=[0, 1, 2])
    assert await world.checkpoint() == end.position


@pytest.mark.parametrize("fault", ["before", "after"])
async def test_given_a_crash_around_the_commit_when_another_process_goes_on_then_each_event_takes_effect_once(
    world: World, fault: str
) -> None:
    """The first runner ends while its commit fails; documents and checkpoint are both there, or both not."""
    end = await world.happened("1", OPENED, UP)
    dying = world.runner(documents=FlakyDocuments(world.documents, *[fault] * 1000), lease_s=0.1)
    task = asyncio.create_task(dying.run())
    await state(dying, SubscriptionState.RETRYING)
    task.cancel()
    await asyncio.wait([task])
    view, checkpoint = await world.view("1"), await world.checkpoint()
    assert (view is None, checkpoint is None) == ((True, True) if fault == "before" else (False, False))

    other = world.runner()
    async with run(other):
        await passed(other, end.position)

    assert await world.view("1") == CounterView(id="1", name="steps", total=1, revisions=[0, 1])


async def test_given_two_runners_of_one_projection_when_events_come_then_each_takes_effect_once(world: World) -> None:
    await world.happened("1", OPENED)
    runners = [world.runner() for _ in range(3)]

    async with run(*runners):
        for revision in range(60):
            end = await world.happened("1", UP, expected=revision)
        for runner in runners:
            await passed(runner, end.position)

    view = await world.view("1")
    assert view is not None
    assert (view.total, view.revisions) == (60, list(range(61)))
    assert world.events._subscriptions == set()  # type: ignore[attr-defined]


async def test_given_two_processes_on_the_same_files_when_events_come_then_each_takes_effect_once(
    tmp_path: Path,
) -> None:
    def stores() -> tuple[SqliteEventStore, SqliteDocumentStore]:
        return SqliteEventStore(str(tmp_path / "events.db")), SqliteDocumentStore(str(tmp_path / "documents.db"))

    async with World.open(*stores()) as here, World.open(*stores()) as there:
        await here.happened("1", OPENED)
        runners = [here.runner(), there.runner()]
        async with run(*runners):
            for revision in range(0, 40, 2):
                await here.happened("1", UP, expected=revision)
                end = await there.happened("1", UP, expected=revision + 1)
            for runner in runners:
                await passed(runner, end.position)
        view = await here.view("1")

    assert view is not None
    assert (view.total, view.revisions) == (40, list(range(41)))


async def test_given_a_rival_that_was_faster_when_somebody_looks_with_events_in_hand_then_each_takes_effect_once(
    world: World,
) -> None:
    end = await world.happened("1", OPENED, UP)
    fast = world.runner(lease_name="of one that took over")
    looked = asyncio.Event()

    class Meddling(FlakyDocuments):
        reads = 0

        @override
        async def get(self, collection: str, key: str) -> StoredDocument | None:
            self.reads += key == "CounterProjection@1"
            if self.reads == 2 and not looked.is_set():  # the first was to resume; this is for the events in hand
                looked.set()
                async with run(fast):
                    await passed(fast, end.position)
                await slow.look()  # as one who waits does
            return await super().get(collection, key)

    slow = world.runner(documents=Meddling(world.documents))
    async with run(slow):
        await looked.wait()
        await state(slow, SubscriptionState.LIVE)
        end = await world.happened("1", UP)
        await passed(slow, end.position)

    assert await world.view("1") == CounterView(id="1", name="steps", total=2, revisions=[0, 1, 2])


async def test_given_a_rival_that_was_faster_when_the_slow_one_commits_then_it_takes_over_the_rivals_position(
    world: World,
) -> None:
    probe = Probe()
    probe.hold()
    end = await world.happened("1", OPENED, UP)
    slow = world.runner(ProbedProjection, probe)
    fast = world.runner(ProbedProjection, Probe(), lease_name="of one that took over")

    async with run(slow):
        await probe.entered.wait()  # has read the old state
        async with run(fast):
            await passed(fast, end.position)
        probe.release.set()
        await passed(slow, end.position)
        await state(slow, SubscriptionState.LIVE)
        assert slow.status.error is None

    assert probe.calls == 1
    assert await world.view("1") == CounterView(id="1", name="steps", total=1, revisions=[0, 1])


histories = st.lists(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 5)), min_size=1, max_size=4), min_size=1, max_size=5
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories, sizes=st.lists(st.integers(1, 3), max_size=20))
async def test_given_any_history_when_it_is_fed_in_any_pieces_with_restarts_then_it_equals_a_rebuild_from_zero(
    history: list[list[tuple[str, int]]], sizes: list[int]
) -> None:
    chopped = ChoppedEvents(*sizes)
    async with World.open(chopped) as world:
        last = -1
        for piece in history:
            runner = world.runner()
            async with run(runner):
                for id, by in piece:
                    known = [event async for event in world.events.read(f"counter-{id}")]
                    fact = CounterIncreased(by=by, note=None) if by else CounterClosed()
                    last = (await world.happened(id, *([fact] if known else [OPENED]))).position
                await passed(runner, last)
        fed = await world.views()
        assert await world.checkpoint() == last

        chopped.sizes.clear()
        async with World.open() as empty:
            rebuilt = world.runner(documents=empty.documents)
            async with run(rebuilt):
                await passed(rebuilt, last)
            assert await empty.views() == fed


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories, repeats=st.lists(st.integers(0, 9), max_size=20))
async def test_given_every_event_twice_and_a_restart_at_every_position_then_each_takes_effect_once(
    history: list[list[tuple[str, int]]], repeats: list[int]
) -> None:
    async with World.open(events := RepeatingEvents(*repeats)) as world:
        expected: dict[str, CounterView] = {}
        for id, by in [fact for piece in history for fact in piece]:
            if (view := expected.get(id)) is None:
                view = expected[id] = CounterView(id=id, name="steps", revisions=[0])
                last = await world.happened(id, OPENED)
            else:
                last = await world.happened(id, CounterIncreased(by=by, note=None))
                view.total += by
                view.revisions.append(last.revision)
            runner = world.runner()
            async with run(runner):
                await passed(runner, last.position)
                await events.twice(last.position)

        assert all(times > 1 for times in events.told.values())
        assert await world.views() == [expected[id] for id in sorted(expected)]


# -- failures ------------------------------------------------------------------------------------------------------


async def test_given_unknown_event_types_when_they_come_then_they_are_counted_and_passed(world: World) -> None:
    await world.happened("1", OPENED)
    await world.happened_raw("1", "test.counter-exploded.v1", b"no json", expected=0)
    end = await world.happened_raw("1", "test.counter-exploded.v2", b"{}", expected=1)
    runner = world.runner()

    async with run(runner):
        await passed(runner, end.position)
        assert (runner.status.unknown_events, runner.status.error) == (2, None)
        end = await world.happened("1", UP, expected=2)
        await passed(runner, end.position)

    assert runner.status.unknown_events == 2
    assert await world.view("1") == CounterView(id="1", name="steps", total=1, revisions=[0, 3])


async def test_given_events_that_nobody_handles_when_they_come_then_they_are_passed(world: World) -> None:
    end = await world.happened("1", OPENED, CounterClosed())
    runner = world.runner()

    async with run(runner):
        await passed(runner, end.position)

    assert runner.status.unknown_events == 0
    assert await world.checkpoint() == end.position


async def test_given_events_of_old_shapes_when_they_come_then_the_newest_shape_is_handled(world: World) -> None:
    await world.happened("1", OPENED)
    end = await world.happened_raw("1", "test.counter-increased.v0", b'{"plus":5}', expected=0)
    runner = world.runner()

    async with run(runner):
        await passed(runner, end.position)

    assert await world.view("1") == CounterView(id="1", name="steps", total=5, revisions=[0, 1])


async def test_given_a_handler_that_fails_when_it_is_tried_again_then_the_state_tells_and_it_recovers(
    world: World,
) -> None:
    def fail_twice(call: int) -> None:
        if call <= 2:
            raise ZeroDivisionError("not today")

    probe = Probe(fail_twice)
    probe.hold()
    end = await world.happened("1", OPENED, UP)
    runner = world.runner(ProbedProjection, probe)

    async with run(runner):
        await probe.entered.wait()  # the third try
        assert (runner.status.state, runner.status.error) == (SubscriptionState.RETRYING, "ZeroDivisionError")
        opened = await world.view("1")
        assert opened is not None
        assert (opened.total, runner.status.parked) == (0, 0)  # what came before it is committed by itself
        probe.release.set()
        await passed(runner, end.position)
        await state(runner, SubscriptionState.LIVE)
        assert runner.status.error is None

    assert probe.calls == 3
    assert await world.view("1") == CounterView(id="1", name="steps", total=1, revisions=[0, 1])


async def test_given_a_document_that_the_projection_did_not_expect_when_it_conflicts_then_it_is_a_failure_like_any(
    world: World,
) -> None:
    seed = Session(world.documents)
    seed.save(VIEWS, CounterView(id="1", name="somebody wrote this"))
    await seed.commit()
    end = await world.happened("1", OPENED)
    runner = world.runner()

    async with run(runner):
        await passed(runner, end.position)
        (item,) = await parked_items(runner)
        assert (item.error, item.group, item.attempts) == ("ConcurrencyError", "counter-1", ATTEMPTS)
        await seed.delete(VIEWS, "1")
        await seed.commit()
        await runner.replay()
        await nothing_parked(runner)

    assert await world.view("1") == CounterView(id="1", name="steps", total=0, revisions=[0])


async def test_given_an_event_store_that_is_down_for_a_moment_when_it_is_back_then_the_runner_goes_on() -> None:
    chopped = ChoppedEvents(2, 0, 0, 1, 0)
    async with World.open(chopped) as world:
        end = await world.happened("1", OPENED, UP, UP, UP)
        runner = world.runner()
        async with run(runner):
            await passed(runner, end.position)
            await state(runner, SubscriptionState.LIVE)
            assert runner.status.error is None
            assert len(chopped._subscriptions) == 1
        assert await world.view("1") == CounterView(id="1", name="steps", total=3, revisions=[0, 1, 2, 3])
        assert chopped._subscriptions == set()


async def test_given_more_than_the_document_store_does_in_time_when_it_is_tried_again_then_it_gets_less_at_once(
    world: World,
) -> None:
    for number in range(40):
        end = await world.happened(str(number), OPENED, UP)
    slow = SlowDocuments(world.documents, most=9)
    runner = world.runner(documents=slow)

    async with run(runner):
        await passed(runner, end.position)
        await state(runner, SubscriptionState.LIVE)
        assert runner.status.error is None
        assert runner.status.parked == 0
        for number in range(40):
            assert await world.view(str(number)) == CounterView(id=str(number), name="steps", total=1, revisions=[0, 1])

    assert slow.sizes[0] == 41
    assert slow.sizes[:3] == sorted(slow.sizes[:3], reverse=True)  # halved until it fits
    assert any(after > before for before, after in itertools.pairwise(slow.sizes[3:]))  # and then it grows again


async def test_given_too_much_at_once_and_an_event_that_fails_when_both_are_met_then_only_that_one_is_parked(
    world: World,
) -> None:
    def fail(call: int) -> None:
        if current_context().causation_id == poison:
            raise ValueError("no")

    for number in range(20):
        end = await world.happened(str(number), OPENED, UP)
    (stored,) = [one async for one in world.events.read("counter-13", after=0)]
    poison = stored.id
    runner = world.runner(ProbedProjection, Probe(fail), documents=SlowDocuments(world.documents, most=5))

    async with run(runner):
        await passed(runner, end.position)
        await state(runner, SubscriptionState.LIVE)

    assert [item.group for item in await parked_items(runner)] == ["counter-13"]
    views = [await world.view(str(number)) for number in range(20)]
    assert [number for number, view in enumerate(views) if view is None or view.total != 1] == [13]


async def test_given_too_much_behind_an_event_that_fails_when_it_is_parked_then_that_too_goes_in_smaller_parts(
    world: World,
) -> None:
    def fail(call: int) -> None:
        raise ValueError("no")

    end = await world.happened("1", OPENED, *[UP] * 40)
    runner = world.runner(ProbedProjection, Probe(fail), documents=SlowDocuments(world.documents, most=5))

    async with run(runner):
        await passed(runner, end.position)
        await state(runner, SubscriptionState.LIVE)

    assert [item.error for item in await parked_items(runner)] == ["ValueError", *[None] * 39]


async def test_given_a_store_that_was_slow_once_when_few_events_come_then_nobody_concludes_that_it_manages_many(
    world: World,
) -> None:
    slow = SlowDocuments(world.documents, most=9)
    runner = world.runner(documents=slow)
    end = await world.happened("1", OPENED, *[UP] * 40)

    async with run(runner):
        await passed(runner, end.position)
        slow.faults.append("before")
        for _ in range(60):
            await passed(runner, (await world.happened("1", UP)).position)

        assert runner._live._at_once == 2  # for once, as many came as it had managed


async def test_given_a_document_store_that_is_down_at_the_start_when_it_is_back_then_the_runner_begins(
    world: World,
) -> None:
    await world.documents.aclose()
    runner = world.runner()
    task = asyncio.create_task(runner.run())
    await state(runner, SubscriptionState.RETRYING)
    assert runner.status.error == "Unavailable"

    await runner.stop()
    async with asyncio.timeout(LIMIT_S):
        await task

    assert runner.status.state is SubscriptionState.STOPPED


# -- the end -------------------------------------------------------------------------------------------------------


async def test_given_a_batch_in_hand_when_stopping_then_it_is_finished_first(world: World) -> None:
    probe = Probe()
    probe.hold()
    end = await world.happened("1", OPENED, UP, UP)
    runner = world.runner(ProbedProjection, probe)
    task = asyncio.create_task(runner.run())
    await probe.entered.wait()

    await runner.stop()
    assert not task.done()
    probe.release.set()
    async with asyncio.timeout(LIMIT_S):
        await task

    assert await world.checkpoint("ProbedProjection@1") == end.position
    assert runner.status.state is SubscriptionState.STOPPED


async def test_given_a_handler_that_fails_for_ever_when_stopping_then_the_runner_ends_without_waiting_for_the_pause(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neuroglia.event_sourcing.subscriptions.patience._FIRST_PAUSE_S", 3600.0)
    monkeypatch.setattr("neuroglia.event_sourcing.subscriptions.patience._LONGEST_PAUSE_S", 3600.0)

    def fail(_: int) -> None:
        raise ZeroDivisionError

    before = await world.happened("1", OPENED)
    await world.happened("1", UP)
    runner = world.runner(ProbedProjection, Probe(fail))
    task = asyncio.create_task(runner.run())
    await passed(runner, before.position)

    await runner.stop()
    async with asyncio.timeout(LIMIT_S):
        await task

    assert runner.status.state is SubscriptionState.STOPPED
    assert await world.checkpoint("ProbedProjection@1") == before.position


@pytest.mark.parametrize("steps", range(12))
async def test_given_a_runner_that_has_hardly_begun_when_stopping_then_it_ends(world: World, steps: int) -> None:
    await world.happened("1", OPENED)
    runner = world.runner()
    task = asyncio.create_task(runner.run())
    for _ in range(steps):
        await asyncio.sleep(0)

    await runner.stop()

    async with asyncio.timeout(LIMIT_S):
        await task
    assert runner.status.state is SubscriptionState.STOPPED
    assert world.events._subscriptions == set()  # type: ignore[attr-defined]


async def test_given_a_position_that_is_not_passed_when_waiting_then_it_returns_after_the_time(world: World) -> None:
    await world.runner().wait_for(0, seconds=0)


async def test_given_two_processes_when_both_run_then_one_works_and_the_other_stands_by(world: World) -> None:
    first, second = world.runner(), world.runner()

    async with run(first):
        await state(first, SubscriptionState.LIVE)
        async with run(second):
            await state(second, SubscriptionState.STANDBY)
            end = await world.happened("1", OPENED, UP)
            await passed(first, end.position)
            await second.wait_for(end.position, LIMIT_S)

    assert second.status.position == end.position  # read, not written, by the one that stood by
    assert await world.view("1") == CounterView(id="1", name="steps", total=1, revisions=[0, 1])


async def test_given_a_process_that_ends_in_peace_then_the_other_takes_over_at_once(world: World) -> None:
    first, second = world.runner(lease_s=300), world.runner(lease_s=0.4)
    async with run(second):
        async with run(first):
            await asyncio.wait(
                [asyncio.create_task(state(runner, SubscriptionState.LIVE)) for runner in (first, second)],
                return_when=asyncio.FIRST_COMPLETED,
            )

        end = await world.happened("1", OPENED)
        await passed(second, end.position)


async def test_given_a_process_that_dies_then_the_other_takes_over_within_the_lease(world: World) -> None:
    dying, other = world.runner(lease_s=0.1), world.runner(lease_s=0.1)
    task = asyncio.create_task(dying.run())
    await state(dying, SubscriptionState.LIVE)
    async with run(other):
        await state(other, SubscriptionState.STANDBY)
        task.cancel()  # it gives nothing back
        await asyncio.wait([task])
        end = await world.happened("1", OPENED)
        await passed(other, end.position)

    assert await world.view("1") == CounterView(id="1", name="steps", total=0, revisions=[0])
