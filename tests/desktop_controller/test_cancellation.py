"""Commands that somebody ends before their time."""

import asyncio

import pytest

from desktop_controller.domain.events.host_commands import CancellationRequested
from desktop_controller.domain.models.command_status import CommandStatus
from desktop_controller.domain.models.host_command import HostCommand
from neuroglia.domain import DomainEvent
from neuroglia.testing import RunningService, running
from tests.desktop_controller.builders import (
    COMMANDS,
    ECHO,
    SLEEP,
    STARTED,
    SUCCEEDED,
    ends,
    failed,
    requested,
    show,
    started,
    submit,
    submit_and_start,
)
from tests.desktop_controller.conftest import builder_on
from tests.desktop_controller.doubles import FakeHost
from tests.support.waiting import eventually

pytestmark = pytest.mark.service


async def test_given_a_running_command_when_it_is_cancelled_then_it_is_killed_and_says_so(
    controller: RunningService, host: FakeHost
) -> None:
    program = await submit_and_start(controller, host, SLEEP)
    program.output.stdout(b"so far\n")

    answer = await controller.client.post(f"{COMMANDS}/{program.command_id}/cancel")

    assert answer.status_code == 202
    end = await ends(controller, program.command_id)
    end.then(200, {"status": "cancelled", "reason": "It was cancelled while it ran.", "stdout": "so far\n"})
    assert program.killed


async def test_given_a_waiting_command_when_it_is_cancelled_then_it_never_runs(host: FakeHost) -> None:
    async with running(builder_on(host, max_concurrent_commands=1).build()) as controller:
        program = await submit_and_start(controller, host, SLEEP)
        waiting = await submit(controller, ECHO)

        answer = await controller.client.post(f"{COMMANDS}/{waiting}/cancel")

        assert (answer.status_code, answer.json()["status"]) == (202, "rejected")
        assert answer.json()["reason"] == "It was cancelled before it ran."
        program.ended.set_result(0)
        await ends(controller, waiting)
        assert [one.command_id for one in host.executor.begun] == [program.command_id]


async def test_given_waiting_commands_when_they_are_cancelled_then_their_places_are_free(host: FakeHost) -> None:
    async with running(builder_on(host, max_concurrent_commands=1, max_waiting_commands=2).build()) as controller:
        program = await submit_and_start(controller, host, SLEEP)
        waiting = [await submit(controller, ECHO) for _ in range(2)]
        await controller.settle()
        for id_ in waiting:
            assert (await controller.client.post(f"{COMMANDS}/{id_}/cancel")).status_code == 202

        for id_ in waiting:
            await ends(controller, id_)
        later = [await submit(controller, ECHO) for _ in range(2)]

        program.ended.set_result(0)
        for id_ in later:
            (await ends(controller, id_)).then(200, {"status": "succeeded"})
        assert {one.command_id for one in host.executor.begun} == {program.command_id, *later}


async def test_given_a_cancellation_when_it_comes_again_then_it_is_202_and_stored_once(
    controller: RunningService, host: FakeHost
) -> None:
    program = await submit_and_start(controller, host, SLEEP)
    path = f"{COMMANDS}/{program.command_id}/cancel"

    answers = await asyncio.gather(*(controller.client.post(path) for _ in range(5)))

    assert {answer.status_code for answer in answers} <= {202, 409}
    assert answers[0].status_code == 202
    (await ends(controller, program.command_id)).then(200, {"status": "cancelled"})


@pytest.mark.parametrize(
    "end",
    [
        SUCCEEDED,
        failed(CommandStatus.FAILED),
        failed(CommandStatus.TIMED_OUT),
        failed(CommandStatus.CANCELLED),
    ],
    ids=["succeeded", "failed", "timed out", "cancelled"],
)
async def test_given_a_final_command_when_it_is_cancelled_then_it_is_409(
    controller: RunningService, end: DomainEvent
) -> None:
    await controller.happened(HostCommand, "c", requested("sleep"), STARTED, end)
    await controller.settle()

    (await controller.when("POST", f"{COMMANDS}/c/cancel")).then_refused(409, "command-not-in-this-state")


async def test_given_a_program_that_ends_while_it_is_cancelled_then_the_end_is_told_as_it_was(
    controller: RunningService, host: FakeHost
) -> None:
    program = await submit_and_start(controller, host, SLEEP)

    cancelling = asyncio.create_task(controller.client.post(f"{COMMANDS}/{program.command_id}/cancel"))
    program.ended.set_result(0)

    assert (await cancelling).status_code in {202, 409}
    (await ends(controller, program.command_id)).then(200, {"status": "succeeded", "exit_code": 0})


@pytest.mark.parametrize("steps", range(0, 60, 3))
async def test_given_a_cancellation_at_any_moment_then_the_command_ends_and_nothing_of_it_is_left(
    controller: RunningService, host: FakeHost, steps: int
) -> None:
    id_ = await submit(controller, SLEEP)
    for _ in range(steps):
        await asyncio.sleep(0)

    assert (await controller.client.post(f"{COMMANDS}/{id_}/cancel")).status_code == 202

    end = await ends(controller, id_)
    assert end.body["status"] in {"rejected", "cancelled"}
    assert all(program.killed for program in host.executor.begun)
    assert len(host.executor.begun) <= 1


async def test_given_a_program_that_takes_its_time_to_end_then_it_is_asked_once(
    controller: RunningService, host: FakeHost
) -> None:
    host.executor.gives_up.clear()
    program = await submit_and_start(controller, host, {**SLEEP, "timeout_seconds": 0.05})

    async def is_asked() -> bool:
        return program.killed

    await eventually(is_asked)
    await controller.client.post(f"{COMMANDS}/{program.command_id}/cancel")
    await controller.settle()
    assert program.cancellations == 1
    host.executor.gives_up.set()

    (await ends(controller, program.command_id)).then(200, {"status": "timed_out"})
    assert program.cancellations == 1


async def test_a_cancellation_tells_who_wanted_it(controller: RunningService, host: FakeHost) -> None:
    program = await submit_and_start(controller, host, SLEEP)

    answer = await controller.when("POST", f"{COMMANDS}/{program.command_id}/cancel")

    assert answer.events[0] == CancellationRequested(requested_by="test")


async def test_given_a_cancelled_command_then_the_next_one_has_its_turn(host: FakeHost) -> None:
    async with running(builder_on(host, max_concurrent_commands=1).build()) as controller:
        first = await submit_and_start(controller, host, SLEEP)
        second = await submit(controller, SLEEP)

        await controller.client.post(f"{COMMANDS}/{first.command_id}/cancel")

        program = await started(host, second)
        (await show(controller, second)).then(200, {"status": "running"})
        program.ended.set_result(0)
        (await ends(controller, second)).then(200, {"status": "succeeded"})
