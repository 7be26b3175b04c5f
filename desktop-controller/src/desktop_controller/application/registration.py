"""Being known: this desktop makes itself known, stays so, and says when it leaves."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from desktop_controller.application.command_runner import CommandRunner
from desktop_controller.application.commands.change_host_state import ChangeHostState
from desktop_controller.application.persistent import persistent, undeterred
from desktop_controller.application.queries.get_host import GetHost
from desktop_controller.domain.models.host import HostEvent
from desktop_controller.integration.models.host import HostDto
from desktop_controller.integration.models.registration import Heartbeat, RegistrationRequested, Unregistered
from neuroglia.cloud_events import CloudEventBus
from neuroglia.cloud_events.events import CloudEventWriter
from neuroglia.cloud_events.sink import EventRefused, Sink
from neuroglia.core import SystemIds, Unavailable
from neuroglia.core.lifecycle import HostedTasks
from neuroglia.mediation import Mediator

_log: Final = logging.getLogger("desktop_controller.registration")


class Registered(asyncio.Event):
    """Set once somebody has answered that this desktop is known."""


@dataclass(frozen=True, slots=True)
class RegistrationIntervals:
    """Seconds between one request to be registered and the next, and between heartbeats."""

    registration: float
    heartbeat: float


class Registration(HostedTasks):
    """Asks at every start, and until it is answered: whoever keeps the register may have been away, or have lost it."""

    def __init__(
        self,
        mediator: Mediator,
        bus: CloudEventBus,
        sink: Sink,
        writer: CloudEventWriter,
        registered: Registered,
        intervals: RegistrationIntervals,
        runner: CommandRunner,
    ) -> None:
        super().__init__()
        self.mediator = mediator
        self.bus = bus
        self.sink = sink
        self.writer = writer
        self.registered = registered
        self.intervals = intervals
        self.runner = runner

    async def start(self) -> None:
        self._begin("registration", self._stay_known())

    async def stop(self) -> None:
        """What is told last is waited for: nobody would send it afterwards."""
        for task in self._tasks:
            task.cancel()
        await self._end()
        try:
            host = await self._leave()
            leaving = self.writer.wrap(Unregistered(desktop_id=host.desktop_id), SystemIds().new(), host.desktop_id)
            await self.sink.deliver(leaving)
        except (Unavailable, EventRefused) as error:
            _log.warning("nobody was told that this desktop leaves", extra={"reason": str(error)})

    async def _stay_known(self) -> None:
        await self._tell(HostEvent.ASKS_FOR_REGISTRATION)
        while not self.registered.is_set():
            host = await self._host()
            asking = RegistrationRequested(
                desktop_id=host.desktop_id, desktop_name=host.desktop_name, host_ip_address=host.host_ip_address
            )
            self.bus.publish(asking, subject=host.desktop_id)
            with suppress(TimeoutError):
                await asyncio.wait_for(self.registered.wait(), self.intervals.registration)
        await self._tell(HostEvent.IS_READY)
        if self.runner.is_working:  # it did not wait for that
            await self._tell(HostEvent.WORKS)
        while True:
            host = await self._host()
            self.bus.publish(Heartbeat(desktop_id=host.desktop_id, state=host.state), subject=host.desktop_id)
            await asyncio.sleep(self.intervals.heartbeat)

    @undeterred
    async def _leave(self) -> HostDto:
        return await self.mediator.execute(ChangeHostState(HostEvent.LEAVES))

    @persistent
    async def _tell(self, event: HostEvent) -> None:
        await self.mediator.execute(ChangeHostState(event))

    @persistent
    async def _host(self) -> HostDto:
        return await self.mediator.execute(GetHost())
