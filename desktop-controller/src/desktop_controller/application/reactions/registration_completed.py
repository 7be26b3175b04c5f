"""The answer to a request to be registered."""

from desktop_controller.application.commands.complete_registration import CompleteRegistration
from desktop_controller.integration.models.registration import RegistrationCompleted
from neuroglia.cloud_events import CloudEventHandler
from neuroglia.mediation import Mediator


class RegistrationCompletedHandler(CloudEventHandler[RegistrationCompleted]):
    """Hands it on."""

    def __init__(self, mediator: Mediator) -> None:
        self.mediator = mediator

    async def handle(self, event: RegistrationCompleted) -> None:
        await self.mediator.execute(CompleteRegistration(event.desktop_id))
