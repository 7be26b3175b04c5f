"""Commands, as they are listed."""

from dataclasses import asdict

from desktop_controller.domain.events.host_commands import (
    CommandFailed,
    CommandRequested,
    CommandStarted,
    CommandSucceeded,
)
from desktop_controller.integration.models.commands import CommandDto, CommandStatus
from neuroglia.documents import Documents
from neuroglia.domain import Envelope
from neuroglia.event_sourcing import Projection, on
from neuroglia.mapping import Mapper


class CommandProjection(Projection):
    """Keeps each command as it stands. That a cancellation was requested is no state of its own: it shows when it is
    done."""

    def __init__(self, commands: Documents[CommandDto], mapper: Mapper) -> None:
        self.commands = commands
        self.mapper = mapper

    @on
    async def requested(self, event: CommandRequested, envelope: Envelope) -> None:
        await self.commands.save(self.mapper.map(envelope, CommandDto))

    @on
    async def started(self, event: CommandStarted, envelope: Envelope) -> None:
        await self._update(envelope, status=CommandStatus.RUNNING, started_at=event.started_at)

    @on
    async def succeeded(self, event: CommandSucceeded, envelope: Envelope) -> None:
        changes = {"status": CommandStatus.SUCCEEDED, "finished_at": event.finished_at, "exit_code": 0}
        await self._update(envelope, **changes, **asdict(event.output))

    @on
    async def failed(self, event: CommandFailed, envelope: Envelope) -> None:
        output = {} if event.output is None else asdict(event.output)
        await self._update(
            envelope,
            status=event.status,
            reason=event.reason,
            finished_at=event.finished_at,
            exit_code=event.exit_code,
            **output,
        )

    async def _update(self, envelope: Envelope, **changes: object) -> None:
        command = await self.commands.get(envelope.aggregate_id)
        await self.commands.save(command.model_copy(update=changes))
