"""Waiting for the end of a command."""

import tenacity

from desktop_controller.application.queries.get_command import GetCommand
from desktop_controller.integration.models.commands import CommandDto
from neuroglia.mediation import Mediator


def _goes_on(command: CommandDto) -> bool:
    return not command.status.is_final


@tenacity.retry(retry=tenacity.retry_if_result(_goes_on), wait=tenacity.wait_exponential(multiplier=0.01, max=0.25))
async def until_final(mediator: Mediator, command_id: str) -> CommandDto:
    """The command as it ended. It asks the log again and again: whoever brings it to its end may be another process."""
    return await mediator.execute(GetCommand(command_id))
