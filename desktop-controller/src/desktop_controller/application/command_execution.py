"""What happens on the host while a command runs."""

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from typing import Final

from desktop_controller.application.commands.record_end import RecordEnd
from desktop_controller.application.commands.record_exit import RecordExit
from desktop_controller.application.commands.take_up_command import Plan
from desktop_controller.application.host_run import HostRun
from desktop_controller.domain.models.command_status import CommandStatus
from desktop_controller.integration.ports import CannotExecute, Captured, Executor, Output, Outputs, Redactor
from neuroglia.core import Unavailable
from neuroglia.mediation import Command

Record = Callable[[Captured], Command[None]]
_FAILED: Final = "The controller failed while it ran."
_UNSTORED: Final = "Its output could not be stored."
_log: Final = logging.getLogger("desktop_controller.runner")


class CommandExecution:
    """Lets the executor run a program, captures what it writes, and says what is to be recorded of it."""

    def __init__(self, executor: Executor, outputs: Outputs, redactor: Redactor) -> None:
        self.executor = executor
        self.outputs = outputs
        self.redactor = redactor

    async def perform(self, run: HostRun, plan: Plan) -> Command[None]:
        """Runs it to its end. When this returns, nothing of it is left, and its output is on the disk."""
        try:
            output = self.outputs.open(run.command_id)
            record = await self._execute(run, plan, output)
            return record(await output.close())
        except Unavailable as error:
            _log.error("output is lost", exc_info=error, extra={"command": run.command_id})
            return RecordEnd(run.command_id, CommandStatus.FAILED, _UNSTORED, None)
        except Exception as error:  # noqa: BLE001 - a fault of what captures; the command must not stay running for it
            _log.error("the capture failed", exc_info=error, extra={"command": run.command_id})
            return RecordEnd(run.command_id, CommandStatus.FAILED, _FAILED, None)

    async def _execute(self, run: HostRun, plan: Plan, output: Output) -> Record:
        def ended(status: CommandStatus, reason: str) -> Record:
            return partial(RecordEnd, run.command_id, status, reason)

        try:
            work = self.executor.run(run.command_id, plan.argv, output)
            code = await run.execute(work, plan.timeout_seconds)
            return partial(RecordExit, run.command_id, code)
        except asyncio.CancelledError:
            if run.ending is None:
                raise
            return ended(*run.ending)
        except (CannotExecute, Unavailable) as error:
            return ended(CommandStatus.FAILED, self.redactor.text(str(error)))
        except Exception as error:  # noqa: BLE001 - a fault of the executor; the command must not stay running for it
            _log.error("the executor failed", exc_info=error, extra={"command": run.command_id})
            return ended(CommandStatus.FAILED, _FAILED)
