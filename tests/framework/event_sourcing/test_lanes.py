"""Many streams at once, each in order; and up to where everything is done."""

import asyncio

import pytest
from hypothesis import given, strategies as st

from neuroglia.event_sourcing.subscriptions import lanes
from neuroglia.event_sourcing.subscriptions.lanes import Lanes, LowWaterMark, Turns
from tests.framework.event_sourcing.events import LIMIT_S
from tests.support.waiting import eventually


async def test_given_pieces_of_many_keys_then_they_run_at_once_and_those_of_one_key_in_order() -> None:
    begun: list[tuple[str, int]] = []
    release = asyncio.Event()

    async def work(piece: tuple[str, int]) -> None:
        begun.append(piece)
        await release.wait()

    async def two_have_begun() -> bool:
        return len(begun) >= 2

    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        lanes = Lanes(group, work, workers=2, waiting=100)
        for key, number in [("a", 1), ("a", 2), ("b", 1), ("c", 1), ("a", 3)]:
            await lanes.put(key, (key, number))
        await eventually(two_have_begun)
        assert begun == [("a", 1), ("b", 1)]  # two workers, and never two on one key
        release.set()

    assert [piece for piece in begun if piece[0] == "a"] == [("a", 1), ("a", 2), ("a", 3)]
    assert sorted(begun) == [("a", 1), ("a", 2), ("a", 3), ("b", 1), ("c", 1)]
    assert lanes._lanes == {}


async def test_given_no_room_when_putting_then_it_waits_until_something_is_done() -> None:
    release = asyncio.Semaphore(0)

    async def work(_: int) -> None:
        await release.acquire()

    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        lanes = Lanes(group, work, workers=1, waiting=2)
        await lanes.put("a", 1)
        await lanes.put("b", 2)
        third = asyncio.ensure_future(lanes.put("c", 3))
        done, _ = await asyncio.wait([third], timeout=0)
        assert not done
        release.release()
        await third
        for _ in range(2):
            release.release()


async def test_given_a_piece_that_fails_then_the_group_ends_with_its_error() -> None:
    async def work(_: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as several:
        async with asyncio.TaskGroup() as group:
            await Lanes(group, work, workers=1, waiting=9).put("a", 1)

    assert [type(error) for error in several.value.exceptions] == [ZeroDivisionError]


@given(order=st.permutations(range(8)), gaps=st.lists(st.integers(1, 5), min_size=8, max_size=8))
def test_given_any_order_of_finishing_then_the_mark_stands_before_the_first_that_is_open(
    order: list[int], gaps: list[int]
) -> None:
    positions = [sum(gaps[: index + 1]) for index in range(8)]
    mark = LowWaterMark(0)
    for position in positions:
        mark.begin(position, f"event at {position}")
    done: set[int] = set()

    for index in order:
        mark.finish(positions[index])
        done.add(index)
        first_open = next((number for number in range(8) if number not in done), 8)
        assert mark.position == (positions[first_open - 1] if first_open else 0)
        assert mark.event_id == (f"event at {mark.position}" if first_open else None)


async def test_given_one_that_hangs_alone_then_after_a_while_the_others_have_their_turns(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lanes, "_ALONE_S", 0.01)
    turns = Turns(3)

    async with asyncio.timeout(LIMIT_S), turns.turn(alone=True), turns.turn(alone=False), turns.turn(alone=False):
        pass
    async with asyncio.timeout(LIMIT_S), turns.turn(alone=True):  # and all of them are there again
        pass


async def test_given_some_that_want_to_be_alone_then_they_are_and_everybody_has_a_turn() -> None:
    turns, present, seen = Turns(3), set[int](), dict[int, set[int]]()

    async def come(number: int) -> None:
        async with turns.turn(alone=number % 3 == 0):
            present.add(number)
            await asyncio.sleep(0)
            seen[number] = set(present)
            await asyncio.sleep(0)
            present.remove(number)

    async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as group:
        for number in range(12):
            group.create_task(come(number))

    assert seen.keys() == set(range(12))
    assert {number for number, beside in seen.items() if beside == {number}} >= {0, 3, 6, 9}
    assert max(len(beside) for beside in seen.values()) > 1
