"""The composition root: the only file that knows every layer."""

from fastapi import FastAPI

from desktop_controller.application.allow_list import AllowList
from desktop_controller.application.command_execution import CommandExecution
from desktop_controller.application.command_runner import CommandRunner, RunnerLimits
from desktop_controller.application.host_lock import HostLock, LockCommands
from desktop_controller.application.registration import Registered, Registration, RegistrationIntervals
from desktop_controller.domain.models.desktop_user import DesktopUser
from desktop_controller.domain.models.host import Host
from desktop_controller.integration.catalogue import TomlCatalogue
from desktop_controller.integration.executors import connect_executor, connect_files, is_here
from desktop_controller.integration.kept import HostIdentity, keep_host, keep_user
from desktop_controller.integration.outputs import FileOutputs
from desktop_controller.integration.ports import Catalogue, Executor, HostStore, ManagedFiles, Outputs, Redactor
from desktop_controller.integration.redaction import SecretRedactor
from desktop_controller.integration.repositories.host_documents import HostDocuments
from desktop_controller.settings import DesktopControllerSettings
from neuroglia.domain import Repository
from neuroglia.hosting import WebApplicationBuilder


def create_builder(settings: DesktopControllerSettings) -> WebApplicationBuilder:
    """All parts but those that reach the host."""
    builder = WebApplicationBuilder(settings)
    builder.add_controllers("desktop_controller.api")
    builder.add_mediation("desktop_controller.application")
    builder.add_event_sourcing("desktop_controller.domain", subscriptions="desktop_controller.application")
    builder.add_documents("desktop_controller.integration.models")
    builder.add_cloud_events("desktop_controller.application")
    builder.add_operations()
    services, intervals = builder.services, (settings.registration_interval, settings.heartbeat_interval)
    limits = RunnerLimits(
        settings.max_concurrent_commands,
        settings.max_waiting_commands,
        apart=frozenset({settings.lock_command, settings.unlock_command}),
    )
    services.add_instance(RunnerLimits, limits)
    services.add_instance(LockCommands, LockCommands(settings.lock_command, settings.unlock_command))
    services.add_instance(HostIdentity, HostIdentity(settings.desktop_id, settings.desktop_id))
    services.add_instance(RegistrationIntervals, RegistrationIntervals(*intervals))
    services.add_singleton(Repository[Host], keep_host)
    services.add_singleton(Repository[DesktopUser], keep_user)
    for service in (AllowList, CommandExecution, HostLock, Registered):
        services.add_singleton(service)
    builder.add_hosted_service(CommandRunner)
    builder.add_hosted_service(Registration)
    return builder


def reach_host(builder: WebApplicationBuilder, settings: DesktopControllerSettings) -> WebApplicationBuilder:
    """Binds the ports to the host that the settings name."""
    url, services = settings.host_executor_url, builder.services
    redactor = SecretRedactor(settings.secrets)
    catalogue = TomlCatalogue(settings.commands_file, resolve=is_here(url))
    services.add_instance(Redactor, redactor)
    services.add_instance(Catalogue, catalogue)
    services.add_singleton(Executor, lambda: connect_executor(url))
    services.add_instance(Outputs, FileOutputs(settings.data_dir / "outputs", redactor))
    services.add_instance(ManagedFiles, connect_files(url, settings.url(settings.managed_folder)))
    services.add_instance(HostStore, HostDocuments(connect_files(url, settings.url(settings.host_folder))))
    return builder


def create_app(settings: DesktopControllerSettings | None = None) -> FastAPI:
    """The Desktop Controller as an ASGI application."""
    settings = settings or DesktopControllerSettings()
    return reach_host(create_builder(settings), settings).build()
