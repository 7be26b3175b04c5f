"""What the outside is told of commands: ids and states, and neither arguments nor output."""

from collections.abc import Mapping

from pydantic import JsonValue

from desktop_controller.domain.events.host_commands import CommandFailed, CommandRequested, CommandSucceeded
from desktop_controller.domain.models.command_status import CommandStatus
from neuroglia.cloud_events import publishes
from neuroglia.domain import Envelope

Data = Mapping[str, JsonValue]


@publishes("desktop.command-received.v1")
def publish_received(event: CommandRequested, envelope: Envelope) -> Data:
    return _status(envelope, CommandStatus.REQUESTED)


@publishes("desktop.command-executed.v1")
def publish_executed(event: CommandSucceeded, envelope: Envelope) -> Data:
    return _status(envelope, CommandStatus.SUCCEEDED)


@publishes("desktop.command-failed.v1")
def publish_failed(event: CommandFailed, envelope: Envelope) -> Data:
    return _status(envelope, event.status)


def _status(envelope: Envelope, status: CommandStatus) -> Data:
    return {"command_id": envelope.aggregate_id, "status": status.value}
