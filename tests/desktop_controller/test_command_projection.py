"""What is shown of commands, from the events alone."""

import pytest

from desktop_controller.application import mapping
from desktop_controller.application.projections.command_projection import CommandProjection
from desktop_controller.domain.models.command_status import CommandStatus
from desktop_controller.domain.models.host_command import HostCommand
from desktop_controller.integration.models.commands import CommandDto
from neuroglia.domain import DomainEvent
from neuroglia.mapping import Mapper
from neuroglia.testing import FixedClock, GivenProjection, given_projection
from tests.desktop_controller.builders import CANCELLATION, NOW, OUTPUT, STARTED, SUCCEEDED, failed, requested

NEW = CommandDto(
    id="c", command="echo", arguments={"text": "hi"}, status=CommandStatus.REQUESTED, requested_by="ops",
    requested_at=FixedClock().now(), timeout_seconds=5.0,
)  # fmt: skip
RUNNING = {"status": CommandStatus.RUNNING, "started_at": NOW}
CAPTURED = {"stdout": "hi\n", "output_bytes": 3, "output_sha256": "abc"}
ENDED = {"started_at": NOW, "finished_at": NOW}


@pytest.fixture
def projection() -> GivenProjection:
    """A command was requested."""
    return given_projection(CommandProjection, Mapper([mapping])).when(HostCommand, "c", requested(text="hi"))


@pytest.mark.parametrize(
    ("history", "changes"),
    [
        ((), {}),
        ((STARTED,), RUNNING),
        ((STARTED, CANCELLATION), RUNNING),
        ((STARTED, SUCCEEDED), {"status": CommandStatus.SUCCEEDED, "exit_code": 0, **ENDED, **CAPTURED}),
        (
            (STARTED, failed(CommandStatus.FAILED, "r", 3, OUTPUT)),
            {"status": CommandStatus.FAILED, "exit_code": 3, "reason": "r", **ENDED, **CAPTURED},
        ),
        (
            (STARTED, failed(CommandStatus.TIMED_OUT, "r", None, OUTPUT)),
            {"status": CommandStatus.TIMED_OUT, "reason": "r", **ENDED, **CAPTURED},
        ),
        (
            (failed(CommandStatus.REJECTED, "r"),),
            {"status": CommandStatus.REJECTED, "reason": "r", "finished_at": NOW},
        ),
    ],
    ids=["requested", "running", "to be cancelled", "succeeded", "failed", "timed out", "rejected"],
)
async def test_given_a_command_when_something_happens_to_it_then_that_is_shown(
    projection: GivenProjection, history: tuple[DomainEvent, ...], changes: dict[str, object]
) -> None:
    await projection.when(HostCommand, "c", *history).then(NEW.model_copy(update=changes))


async def test_given_two_commands_when_one_goes_on_then_the_other_is_shown_as_before(
    projection: GivenProjection,
) -> None:
    projection.when(HostCommand, "d", requested(text="hi"), STARTED)

    await projection.then(NEW, NEW.model_copy(update={"id": "d", **RUNNING}))
