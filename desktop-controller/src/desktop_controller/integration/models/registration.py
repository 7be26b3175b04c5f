"""What this controller and the service that knows all desktops tell each other."""

from typing import Annotated

from pydantic import StringConstraints

from neuroglia.cloud_events import IntegrationEvent, cloud_event


@cloud_event("desktop.registration-requested.v1")
class RegistrationRequested(IntegrationEvent):
    """A desktop is there, and wants to be known."""

    desktop_id: str
    desktop_name: str
    host_ip_address: str | None


@cloud_event("desktop.registration-completed.v1")
class RegistrationCompleted(IntegrationEvent):
    """It is known now."""

    desktop_id: Annotated[str, StringConstraints(strict=True, min_length=1, max_length=64)]


@cloud_event("desktop.heartbeat.v1")
class Heartbeat(IntegrationEvent):
    """It is still there. A beat that is lost is made up for by the next one."""

    desktop_id: str
    state: str


@cloud_event("desktop.unregistered.v1")
class Unregistered(IntegrationEvent):
    """It leaves, of its own accord."""

    desktop_id: str
