"""How the domain is shown."""

from dataclasses import asdict

from desktop_controller.domain.events.host_commands import CommandRequested
from desktop_controller.domain.models.desktop_user import DesktopUser
from desktop_controller.domain.models.host import Host
from desktop_controller.domain.models.host_command import HostCommand
from desktop_controller.integration.models.commands import CommandDto, CommandStatus
from desktop_controller.integration.models.host import HostDto, UserDto
from neuroglia.domain import Envelope
from neuroglia.mapping import by_name, mapping

show_host = by_name(Host, HostDto)
show_user = by_name(DesktopUser, UserDto)


@mapping
def show_command(command: HostCommand) -> CommandDto:
    """A command as it stands."""
    assert command.created_at is not None
    return CommandDto(
        id=command.id,
        command=command.command,
        arguments=command.arguments,
        status=command.status,
        requested_by=command.requested_by,
        requested_at=command.created_at,
        timeout_seconds=command.timeout_seconds,
        justification=command.justification,
        started_at=command.started_at,
        finished_at=command.finished_at,
        exit_code=command.exit_code,
        reason=command.reason,
        **({} if command.output is None else asdict(command.output)),
    )


@mapping
def show_requested(envelope: Envelope) -> CommandDto:
    """A command as it was requested."""
    request = envelope.event
    assert isinstance(request, CommandRequested)
    return CommandDto(
        id=envelope.aggregate_id,
        command=request.command,
        arguments=request.arguments,
        status=CommandStatus.REQUESTED,
        requested_by=request.requested_by,
        requested_at=envelope.recorded_at,
        timeout_seconds=request.timeout_seconds,
        justification=request.justification,
    )
