"""Handing commands to the runner."""

from desktop_controller.application.command_runner import CommandRunner
from desktop_controller.domain.events.host_commands import (
    CancellationRequested,
    CommandFailed,
    CommandRequested,
    CommandSucceeded,
)
from desktop_controller.integration.models.commands import CommandInHand
from neuroglia.documents import Documents
from neuroglia.domain import Envelope
from neuroglia.event_sourcing import Reaction, on


class CommandTakeUp(Reaction):
    """Hands over and returns: a command that runs for an hour must not hold up the checkpoint.

    What is handed over is noted before the checkpoint passes the event, and crossed out at the end of the command: so a
    process that dies anywhere leaves a note, and the next one's runner takes up what it finds there.
    """

    def __init__(self, in_hand: Documents[CommandInHand], commands: CommandRunner) -> None:
        self.in_hand = in_hand
        self.commands = commands

    @on
    async def requested(self, event: CommandRequested, envelope: Envelope) -> None:
        command = CommandInHand(
            id=envelope.aggregate_id,
            command=event.command,
            correlation_id=envelope.correlation_id,
            causation_id=envelope.id,
        )
        if await self.in_hand.lookup(command.id) is None:  # else the event has come before
            await self.in_hand.save(command)
        self.commands.take_up(command)
        self.commands.turns_of(event.command).handed_over(envelope.position)

    @on
    async def cancellation_requested(self, _: CancellationRequested, envelope: Envelope) -> None:
        self.commands.cancel(envelope.aggregate_id)

    @on
    async def succeeded(self, _: CommandSucceeded, envelope: Envelope) -> None:
        await self.in_hand.delete(envelope.aggregate_id)

    @on
    async def failed(self, _: CommandFailed, envelope: Envelope) -> None:
        await self.in_hand.delete(envelope.aggregate_id)
        self.commands.drop(envelope.aggregate_id)
