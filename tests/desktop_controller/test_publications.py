"""What the outside is told of commands: every request and every end, and neither arguments nor output."""

from typing import Any

import pytest

from desktop_controller.domain.events.host_commands import CommandFailed, CommandSucceeded
from desktop_controller.domain.models.command_status import CommandStatus
from desktop_controller.domain.models.host_command import HostCommand
from neuroglia.cloud_events import CloudEventBus
from neuroglia.testing import RunningService
from tests.desktop_controller.builders import STARTED, SUCCEEDED, failed, requested
from tests.support.waiting import eventually

pytestmark = pytest.mark.service


@pytest.mark.parametrize(
    ("end", "kind", "status"),
    [
        (SUCCEEDED, "desktop.command-executed.v1", "succeeded"),
        (failed(CommandStatus.FAILED, "secret"), "desktop.command-failed.v1", "failed"),
        (failed(CommandStatus.TIMED_OUT, "secret"), "desktop.command-failed.v1", "timed_out"),
        (failed(CommandStatus.CANCELLED, "secret"), "desktop.command-failed.v1", "cancelled"),
        (failed(CommandStatus.REJECTED, "secret"), "desktop.command-failed.v1", "rejected"),
    ],
    ids=["succeeded", "failed", "timed out", "cancelled", "rejected"],
)
async def test_a_request_and_its_end_are_told_with_ids_and_states_alone(
    controller: RunningService, end: CommandSucceeded | CommandFailed, kind: str, status: str
) -> None:
    seen: list[Any] = []
    (await controller.services.get(CloudEventBus)).output.subscribe(
        lambda event: seen.append(event) if event.get_subject() == "c" else None
    )

    await controller.given(HostCommand, "c", requested("echo", text="secret"), STARTED, end)

    async def told() -> bool:
        return len(seen) == 2

    await eventually(told)
    assert [(event.get_type(), event.get_data()) for event in seen] == [
        ("desktop.command-received.v1", {"command_id": "c", "status": "requested"}),
        (kind, {"command_id": "c", "status": status}),
    ]
