"""What would go on for ever: it is passed on, shows that it is alive, and ends when the process is to end."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from desktop_controller.application.until_stopped import until_stopped
from neuroglia.core.lifecycle import Stopping


async def numbers(*of: int, then: Exception | None = None) -> AsyncIterator[int]:
    for number in of:
        yield number
    if then is not None:
        raise then


async def for_ever(left: list[bool]) -> AsyncIterator[int]:
    try:
        yield 1
        await asyncio.Event().wait()
    finally:
        left.append(True)


async def test_given_pieces_that_end_then_all_of_them_are_passed_on() -> None:
    assert [piece async for piece in until_stopped(numbers(1, 2, 3), Stopping(), 5)] == [1, 2, 3]


async def test_given_a_fault_then_it_is_told() -> None:
    pieces = until_stopped(numbers(1, then=ValueError("x")), Stopping(), 5)

    assert await anext(pieces) == 1
    with pytest.raises(ValueError, match="x"):
        await anext(pieces)


async def test_given_nothing_for_a_while_then_it_shows_that_it_is_alive() -> None:
    pieces = until_stopped(for_ever([]), Stopping(), 0.01)

    assert [await anext(pieces) for _ in range(4)] == [1, None, None, None]


async def test_given_a_process_that_is_to_end_then_it_ends_and_lets_go_of_what_it_waits_for() -> None:
    stopping, left = Stopping(), list[bool]()
    pieces = until_stopped(for_ever(left), stopping, 5)
    assert await anext(pieces) == 1

    waiting = asyncio.ensure_future(anext(pieces, None))
    await asyncio.sleep(0)
    stopping.set()

    assert await asyncio.wait_for(waiting, 5) is None
    await asyncio.sleep(0)
    assert left == [True]
