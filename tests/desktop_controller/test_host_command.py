"""The command's rules: what may follow in each of its states."""

from collections.abc import Callable

import pytest

from desktop_controller.domain import errors
from desktop_controller.domain.events.host_commands import CommandFailed
from desktop_controller.domain.models.command_status import CommandStatus
from desktop_controller.domain.models.host_command import HostCommand
from neuroglia.domain import DomainEvent
from neuroglia.testing import given
from tests.desktop_controller.builders import CANCELLATION, NOW, OUTPUT, STARTED, SUCCEEDED, failed, requested

Decision = Callable[[HostCommand], object]
HISTORIES: dict[CommandStatus, list[DomainEvent]] = {
    CommandStatus.REQUESTED: [requested()],
    CommandStatus.RUNNING: [requested(), STARTED],
    CommandStatus.SUCCEEDED: [requested(), STARTED, SUCCEEDED],
    **{
        status: [requested(), STARTED, failed(status)]
        for status in (CommandStatus.FAILED, CommandStatus.TIMED_OUT, CommandStatus.CANCELLED)
    },
    CommandStatus.REJECTED: [requested(), failed(CommandStatus.REJECTED)],
}
EARLY = failed(CommandStatus.REJECTED, "It was cancelled before it ran.")
DECISIONS: dict[str, tuple[Decision, dict[CommandStatus, DomainEvent]]] = {  # what is not there is refused
    "start": (lambda command: command.start(NOW), {CommandStatus.REQUESTED: STARTED}),
    "exit 0": (lambda command: command.exit(0, OUTPUT, NOW), {CommandStatus.RUNNING: SUCCEEDED}),
    "exit 3": (
        lambda command: command.exit(3, OUTPUT, NOW),
        {CommandStatus.RUNNING: failed(CommandStatus.FAILED, "Its exit code is 3.", 3, OUTPUT)},
    ),
    "signal": (
        lambda command: command.exit(-9, OUTPUT, NOW),
        {CommandStatus.RUNNING: failed(CommandStatus.FAILED, "Signal 9 has ended it.", -9, OUTPUT)},
    ),
    "cancel": (
        lambda command: command.cancel("ops", NOW),
        {CommandStatus.REQUESTED: EARLY, CommandStatus.RUNNING: CANCELLATION},
    ),
    **{
        f"end as {status}": (
            lambda command, status=status: command.end(status, "so it is", NOW),  # type: ignore[misc]
            {CommandStatus.RUNNING: failed(status)},
        )
        for status in (CommandStatus.FAILED, CommandStatus.TIMED_OUT, CommandStatus.CANCELLED)
    },
    "reject": (
        lambda command: command.end(CommandStatus.REJECTED, "so it is", NOW),
        {CommandStatus.REQUESTED: failed(CommandStatus.REJECTED)},
    ),
    "end as succeeded": (lambda command: command.end(CommandStatus.SUCCEEDED, "so it is", NOW), {}),
}


@pytest.mark.parametrize("status", CommandStatus)
@pytest.mark.parametrize("decision", DECISIONS)
def test_given_a_state_when_something_is_to_happen_then_it_follows_or_is_refused(
    decision: str, status: CommandStatus
) -> None:
    decide, expected = DECISIONS[decision]

    outcome = given(HostCommand, *HISTORIES[status]).when(decide)

    if status in expected:
        outcome.then(expected[status])
    else:
        refusal = outcome.then_refused(errors.CommandAlready)
        assert status.value in refusal.detail


@pytest.mark.parametrize("status", CommandStatus)
def test_what_is_final_stays(status: CommandStatus) -> None:
    assert status.is_final == all(status not in expected for _, expected in DECISIONS.values())


def test_given_a_command_to_be_cancelled_when_it_is_cancelled_again_then_nothing_more_happens() -> None:
    given(HostCommand, requested(), STARTED, CANCELLATION).when(lambda one: one.cancel("other", NOW)).then()


def test_given_a_command_to_be_cancelled_when_it_has_ended_by_itself_then_that_is_what_happened() -> None:
    given(HostCommand, requested(), STARTED, CANCELLATION).when(lambda one: one.exit(0, OUTPUT, NOW)).then(SUCCEEDED)


def test_a_new_command_is_requested() -> None:
    given(HostCommand).when(lambda _: HostCommand.request("c", requested(text="hi"))).then(requested(text="hi"))


def test_the_state_is_that_of_the_events() -> None:
    end: CommandFailed = failed(CommandStatus.FAILED, "Its exit code is 3.", 3, OUTPUT)
    command = HostCommand("c")
    for revision, event in enumerate([requested("sleep"), STARTED, end]):
        command.replay(event, revision, NOW)

    assert (command.status, command.command, command.exit_code) == (CommandStatus.FAILED, "sleep", 3)
    assert (command.reason, command.output, command.finished_at) == (end.reason, OUTPUT, NOW)
