"""A desktop is known."""

from dataclasses import dataclass

from desktop_controller.application.registration import Registered
from desktop_controller.domain.models.host import THE_HOST, Host, HostEvent, HostState
from neuroglia.core import Clock
from neuroglia.domain import Repository
from neuroglia.mediation import Command, CommandHandler


@dataclass(frozen=True, slots=True)
class CompleteRegistration(Command[None]):
    """Notes that this desktop is known. Of another one it is none of our business."""

    desktop_id: str


class CompleteRegistrationHandler(CommandHandler[CompleteRegistration, None]):
    def __init__(self, hosts: Repository[Host], registered: Registered, clock: Clock) -> None:
        self.hosts = hosts
        self.registered = registered
        self.clock = clock

    async def handle(self, command: CompleteRegistration) -> None:
        host = await self.hosts.get(THE_HOST)
        if host.desktop_id != command.desktop_id:
            return
        if host.take_in(HostEvent.IS_REGISTERED, self.clock.now()):
            await self.hosts.save(host)
        if host.below_lock is HostState.REGISTERED:  # else it was not asked for
            self.registered.set()
