"""Running commands: a few at a time, each of them once."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from desktop_controller.application.command_execution import CommandExecution
from desktop_controller.application.commands.change_host_state import ChangeHostState
from desktop_controller.application.commands.take_up_command import Plan, TakeUpCommand
from desktop_controller.application.host_run import HostRun
from desktop_controller.application.persistent import persistent
from desktop_controller.application.queries.commands_in_hand import CommandsInHand
from desktop_controller.application.turns import Turns
from desktop_controller.domain.models.command_status import CommandStatus
from desktop_controller.domain.models.host import HostEvent
from desktop_controller.integration.models.commands import CommandInHand
from neuroglia.core import Principal, Reply, RequestContext, SystemIds, derived_id, use_context
from neuroglia.core.lifecycle import HostedTasks
from neuroglia.mediation import Command, Mediator

R = TypeVar("R")
_CANCELLED: Final = "It was cancelled while it ran."
_STOPPED: Final = "The controller was stopped while it ran."
_log: Final = logging.getLogger("desktop_controller.runner")


@dataclass(frozen=True, slots=True)
class RunnerLimits:
    """How many commands run at the same time, and how many more may wait for their turn. Those that stand `apart` do
    not wait for the others: they take turns among themselves, one at a time."""

    running: int
    waiting: int
    apart: frozenset[str] = frozenset()


class CommandRunner(HostedTasks):
    """Takes up what is handed over, by a reaction or from an earlier life, and brings each command to its end.

    Every step is a command of its own, repeated until the event store has it. The ids of these come from the run, so
    that its repeat is the same step; a second run of the same command has other ids, and finds that there is nothing
    to do.
    """

    def __init__(self, mediator: Mediator, execution: CommandExecution, limits: RunnerLimits) -> None:
        super().__init__()
        self.mediator = mediator
        self.execution = execution
        self.limits = limits
        self._turns = Turns(limits.running, limits.waiting)
        self._turns_apart = Turns(1, limits.waiting)
        self._cleaned_up = asyncio.Event()
        self._runs: dict[str, HostRun] = {}
        self._in_hand: dict[HostRun, asyncio.Task[None]] = {}
        self._stopping = False
        self._working = 0
        self._work_changed = asyncio.Event()

    @property
    def is_working(self) -> bool:
        """Whether something runs on the host."""
        return self._working > 0

    def turns_of(self, name: str | None) -> Turns:
        """Where a command of this name waits for its turn."""
        return self._turns_apart if name in self.limits.apart else self._turns

    def has(self, command_id: str) -> bool:
        """Whether a command is in hand here."""
        return command_id in self._runs

    async def start(self) -> None:
        self._begin("command-runner", self._live())

    async def stop(self) -> None:
        """Ends what runs. What waits stays requested, for the next start."""
        self._stopping = True
        for run, task in self._in_hand.items():
            if run.waits:
                task.cancel()
            else:
                run.end(CommandStatus.FAILED, _STOPPED)
        await asyncio.gather(*self._in_hand.values(), return_exceptions=True)
        for task in self._tasks:
            task.cancel()
        await self._end()

    def take_up(self, command: CommandInHand) -> None:
        """Brings a command to its end, whatever state it is in. What is in hand already is left alone."""
        if command.id in self._runs or self._stopping:
            return
        context = RequestContext(
            correlation_id=command.correlation_id,
            causation_id=command.causation_id,
            principal=Principal.system("command-runner"),
        )
        turns = self.turns_of(command.command)
        turns.enter()
        run = self._runs[command.id] = HostRun(SystemIds().new(), command.id, context)
        task = self._in_hand[run] = asyncio.create_task(self._run(run, turns), name=f"command-{command.id}")
        task.add_done_callback(
            lambda _: self._forget(run, turns)
        )  # one that is cancelled at once never comes to a `finally`

    def cancel(self, command_id: str) -> None:
        """Ends a command that runs here."""
        if (run := self._runs.get(command_id)) is not None:
            run.end(CommandStatus.CANCELLED, _CANCELLED)

    def drop(self, command_id: str) -> None:
        """Gives up the place of a command that has ended without its turn."""
        run = self._runs.get(command_id)
        if run is not None and run.waits:
            self._in_hand[run].cancel()

    def _forget(self, run: HostRun, turns: Turns) -> None:
        turns.leave()
        del self._runs[run.command_id], self._in_hand[run]

    async def _live(self) -> None:
        """First nothing of an earlier life may be left on the host; then what it had in hand is taken up. From then on
        the host is told when it is busy: in its own time, for no command waits until the host's file is written."""
        await persistent(self.execution.executor.clean_up)()
        self._cleaned_up.set()
        for command in await self._left():
            self.take_up(command)
        while True:
            await self._work_changed.wait()
            self._work_changed.clear()
            await self._tell_host(HostEvent.WORKS if self._working else HostEvent.RESTS)

    @persistent
    async def _left(self) -> Sequence[CommandInHand]:
        return await self.mediator.execute(CommandsInHand())

    @persistent
    async def _tell_host(self, event: HostEvent) -> None:
        await self.mediator.execute(ChangeHostState(event))

    async def _run(self, run: HostRun, turns: Turns) -> None:
        try:
            with use_context(run.context):
                await self._cleaned_up.wait()
                async with turns.semaphore:
                    run.waits = False
                    plan = await self._step(run, TakeUpCommand(run.command_id))
                    if plan is not None:
                        await self._carry_out(run, plan)
        except Exception as error:  # noqa: BLE001 - the task's last words; the next start gives the command its end
            _log.critical("a command has no end", exc_info=error, extra={"command": run.command_id})

    async def _carry_out(self, run: HostRun, plan: Plan) -> None:
        self._count(+1)
        try:
            await self._step(run, await self.execution.perform(run, plan))
        finally:
            self._count(-1)

    def _count(self, by: int) -> None:
        self._working += by
        self._work_changed.set()

    async def _step(self, run: HostRun, step: Command[R]) -> R:
        """Records a step, however long the stores are away."""
        id_ = derived_id(run.id, type(step).__name__)

        @persistent
        async def record() -> R:  # each try with a reply of its own, which numbers what is sent
            with use_context(replace(run.context, command_id=id_, reply=Reply())):
                return await self.mediator.execute(step)

        return await record()
