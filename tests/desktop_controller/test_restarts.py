"""What a controller finds when it starts again, and what comes to it twice."""

import pytest

from desktop_controller.application.command_runner import CommandRunner
from desktop_controller.application.queries.commands_in_hand import CommandsInHand
from desktop_controller.domain.models.host_command import HostCommand
from desktop_controller.integration.models.commands import CommandInHand
from neuroglia.documents import DocumentStore, DocumentType, Session
from neuroglia.event_sourcing.subscriptions import Checkpoint
from neuroglia.mediation import Mediator
from neuroglia.testing import RunningService
from tests.desktop_controller.builders import (
    COMMANDS,
    ECHO,
    IN_TIME,
    SLEEP,
    STARTED,
    ends,
    requested,
    show,
    submit,
    submit_and_start,
)
from tests.desktop_controller.doubles import FakeHost
from tests.desktop_controller.lives import Lives
from tests.support.waiting import eventually

pytestmark = pytest.mark.service


async def hand_over_again(controller: RunningService, id: str) -> None:
    """The reaction's event is delivered once more."""
    runner = await controller.services.get(CommandRunner)
    runner.take_up(CommandInHand(id=id, correlation_id="c", causation_id="e"))


async def test_given_a_command_that_ran_when_the_controller_died_then_it_failed_and_is_not_run_again() -> None:
    lives = Lives()
    async with lives.life(killed=True) as controller:
        id_ = (await submit_and_start(controller, lives.host, SLEEP)).command_id
        await controller.settle()

    async with lives.life() as controller:
        end = await ends(controller, id_)
        end.then(200, {"status": "failed", "reason": "The controller died while it ran.", "exit_code": None})

    assert len(lives.host.executor.begun) == 1
    assert lives.host.executor.cleaned_up == 2


async def test_given_commands_that_waited_when_the_controller_died_then_they_are_run() -> None:
    lives = Lives()
    async with lives.life(killed=True, max_concurrent_commands=1) as controller:
        ran = (await submit_and_start(controller, lives.host, SLEEP)).command_id
        waited = [await submit(controller, ECHO) for _ in range(3)]
        await controller.settle()

    async with lives.life(max_concurrent_commands=1) as controller:
        (await ends(controller, ran)).then(200, {"status": "failed"})
        for id_ in waited:
            (await ends(controller, id_)).then(200, {"status": "succeeded", "stdout": "hi\n"})

    assert [one.command_id for one in lives.host.executor.begun] == [ran, *waited]


async def test_given_a_clean_stop_then_what_ran_is_killed_and_failed_and_what_waited_is_run_later() -> None:
    lives = Lives()
    async with lives.life(max_concurrent_commands=1) as controller:
        program = await submit_and_start(controller, lives.host, SLEEP)
        waited = await submit(controller, ECHO)
        await controller.settle()

    assert program.killed
    async with lives.life() as controller:
        end = await ends(controller, program.command_id)
        end.then(200, {"status": "failed", "reason": "The controller was stopped while it ran."})
        (await ends(controller, waited)).then(200, {"status": "succeeded"})


async def test_given_a_stop_before_the_host_was_cleaned_up_then_the_next_start_does_it_all() -> None:
    lives = Lives()
    lives.host.executor.reachable.clear()
    async with lives.life() as controller:
        id_ = await submit(controller, ECHO)
        await controller.settle()

    lives.host.executor.reachable.set()
    async with lives.life() as controller:
        (await ends(controller, id_)).then(200, {"status": "succeeded"})


async def test_given_a_command_of_which_only_the_log_knows_then_it_is_taken_up() -> None:
    lives = Lives()
    async with lives.life() as controller:
        await controller.happened(HostCommand, "left", requested("echo", text="hi"))

        (await ends(controller, "left")).then(200, {"status": "succeeded"})


async def test_given_a_running_command_of_which_only_the_log_knows_then_it_failed() -> None:
    lives = Lives()
    async with lives.life() as controller:
        await controller.happened(HostCommand, "left", requested("sleep"), STARTED)

        (await ends(controller, "left")).then(200, {"status": "failed", "reason": "The controller died while it ran."})
    assert lives.host.executor.begun == []


async def test_given_a_reaction_that_has_to_begin_again_then_nothing_is_run_again() -> None:
    lives = Lives()
    async with lives.life() as controller:
        ids = [(await controller.when("POST", COMMANDS, json=ECHO, headers=IN_TIME)).body["id"] for _ in range(3)]
        before = [(await ends(controller, id_)).body for id_ in ids]
        session = Session(await controller.services.get(DocumentStore))
        checkpoints = DocumentType(Checkpoint)
    await lives.documents.open()
    checkpoint = await session.get(checkpoints, "CommandTakeUp")
    assert checkpoint is not None
    checkpoint.position = -1
    session.save(checkpoints, checkpoint)
    await session.commit()

    async with lives.life() as controller:
        await controller.settle()
        assert [(await ends(controller, id_)).body for id_ in ids] == before
    assert len(lives.host.executor.begun) == 3


async def test_given_a_command_that_comes_again_while_it_runs_then_it_runs_on(
    controller: RunningService, host: FakeHost
) -> None:
    program = await submit_and_start(controller, host, SLEEP)

    await hand_over_again(controller, program.command_id)
    program.ended.set_result(0)

    (await ends(controller, program.command_id)).then(200, {"status": "succeeded"})
    assert len(host.executor.begun) == 1


@pytest.mark.parametrize("times", [1, 3])
async def test_given_a_command_that_comes_again_after_its_end_then_it_stays_as_it_was(
    controller: RunningService, host: FakeHost, times: int
) -> None:
    id_ = (await controller.when("POST", COMMANDS, json=ECHO, headers=IN_TIME)).then(200).body["id"]
    before = (await ends(controller, id_)).body
    runner = await controller.services.get(CommandRunner)

    async def left_alone() -> bool:
        return not runner.has(id_)

    for _ in range(times):
        await hand_over_again(controller, id_)
        await eventually(left_alone)

    assert len(host.executor.begun) == 1
    assert (await show(controller, id_)).body == before


async def test_what_has_ended_is_no_longer_in_hand() -> None:
    lives = Lives()
    async with lives.life() as controller:
        for _ in range(3):
            await controller.when("POST", COMMANDS, json=ECHO, headers=IN_TIME)
        await controller.settle()
        waiting = await submit_and_start(controller, lives.host, SLEEP)
        await controller.settle()

        in_hand = await (await controller.services.get(Mediator)).execute(CommandsInHand())

        assert [one.id for one in in_hand] == [waiting.command_id]


async def test_given_a_runner_that_has_stopped_when_a_command_comes_then_it_is_left_for_the_next_start(
    controller: RunningService, host: FakeHost
) -> None:
    runner = await controller.services.get(CommandRunner)
    await runner.stop()

    id_ = await submit(controller, ECHO)
    await controller.settle()

    assert not runner.has(id_)
    assert host.executor.begun == []
    (await show(controller, id_)).then(200, {"status": "requested"})
