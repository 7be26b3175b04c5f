"""One run: it ends by itself, for want of time, or because somebody ends it, at whichever moment that comes."""

import asyncio

import pytest

from desktop_controller.application.host_run import HostRun
from desktop_controller.domain.models.command_status import CommandStatus
from neuroglia.core import RequestContext


def a_run() -> HostRun:
    return HostRun("r", "c", RequestContext.new())


async def exits(code: int) -> int:
    return code


async def for_ever() -> int:
    await asyncio.Event().wait()
    return 0


async def test_given_work_that_ends_then_its_exit_code_is_told() -> None:
    assert await a_run().execute(exits(3), 5) == 3


async def test_given_an_end_before_the_work_has_begun_then_it_never_begins() -> None:
    begun: list[bool] = []

    async def work() -> int:
        begun.append(True)
        return 0

    run = a_run()
    run.end(CommandStatus.CANCELLED, "early")

    with pytest.raises(asyncio.CancelledError):
        await run.execute(work(), 5)
    assert (run.ending, begun) == ((CommandStatus.CANCELLED, "early"), [])


async def test_given_an_end_while_it_works_then_it_is_cancelled_and_the_first_reason_stays() -> None:
    run = a_run()
    working = asyncio.create_task(run.execute(for_ever(), 5))
    await asyncio.sleep(0)

    run.end(CommandStatus.CANCELLED, "first")
    run.end(CommandStatus.FAILED, "second")

    with pytest.raises(asyncio.CancelledError):
        await working
    assert run.ending == (CommandStatus.CANCELLED, "first")


async def test_given_too_little_time_then_it_is_cancelled_and_timed_out() -> None:
    run = a_run()

    with pytest.raises(asyncio.CancelledError):
        await run.execute(for_ever(), 0.01)
    assert run.ending == (CommandStatus.TIMED_OUT, "It took longer than 0.01 s.")
