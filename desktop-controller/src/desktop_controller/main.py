"""The composition root: the only file that knows every layer."""

from fastapi import FastAPI

from desktop_controller.application.allow_list import AllowList
from desktop_controller.application.command_execution import CommandExecution
from desktop_controller.application.command_runner import CommandRunner, RunnerLimits
from desktop_controller.application.host_lock import HostLock, LockCommands
from desktop_controller.application.registration import Registered, Registration, RegistrationIntervals
from desktop_controller.domain.models.desktop_user import DesktopUser
from desktop_controller.domain.models.host import Host
from desktop_controller.integration.kept import keep_host, keep_user
from desktop_controller.integration.ports import HostIdentity
from desktop_controller.settings import DesktopControllerSettings
from neuroglia.domain import Repository
from neuroglia.hosting import WebApplicationBuilder


def create_builder(settings: DesktopControllerSettings) -> WebApplicationBuilder:
    """All parts but those that reach the host: see `reach_host`. A test puts its own in their place."""
    builder = WebApplicationBuilder(settings)
    builder.add_controllers("desktop_controller.api")
    builder.add_mediation("desktop_controller.application")
    builder.add_event_sourcing("desktop_controller.domain", subscriptions="desktop_controller.application")
    builder.add_documents("desktop_controller.integration.models")
    builder.add_cloud_events("desktop_controller.application")
    builder.add_operations()
    services, waiting = builder.services, settings.max_waiting_commands
    services.add_instance(RunnerLimits, RunnerLimits(settings.max_concurrent_commands, waiting))
    services.add_instance(HostIdentity, HostIdentity(settings.desktop_id, settings.desktop_id))
    services.add_singleton(AllowList)
    services.add_singleton(CommandExecution)
    services.add_singleton(Repository[Host], keep_host)
    services.add_singleton(Repository[DesktopUser], keep_user)
    services.add_instance(LockCommands, LockCommands(settings.lock_command, settings.unlock_command))
    services.add_singleton(HostLock)
    services.add_singleton(Registered)
    intervals = RegistrationIntervals(settings.registration_interval, settings.heartbeat_interval)
    services.add_instance(RegistrationIntervals, intervals)
    builder.add_hosted_service(CommandRunner)
    builder.add_hosted_service(Registration)
    return builder


def create_app(settings: DesktopControllerSettings | None = None) -> FastAPI:
    """The Desktop Controller as an ASGI application."""
    return create_builder(settings or DesktopControllerSettings()).build()
