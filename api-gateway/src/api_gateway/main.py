"""The composition root: the only file that knows every layer."""

from functools import partial

from fastapi import FastAPI
from limits.aio.storage import Storage

from api_gateway.application.limits import PromptLimits
from api_gateway.domain.models.prompt import Prompt
from api_gateway.integration.clients import dependencies
from api_gateway.integration.clients.archives import ArchiveLimits
from api_gateway.integration.clients.callbacks import CALLBACK_TIMEOUT, HttpCallbacks
from api_gateway.integration.clients.data_packages import DataLimits, HttpDataPackages
from api_gateway.integration.clients.guarded_transport import guarded_client, trusted_by
from api_gateway.integration.clients.media_types import KNOWN_MEDIA_TYPES
from api_gateway.integration.clients.signatures import CallbackSecrets
from api_gateway.integration.clients.url_guard import OutgoingGuard, OutgoingRules
from api_gateway.integration.genai import connect_genai
from api_gateway.integration.ports import Callbacks, DataPackages, Dependency, GenAiService, ObjectStore, UrlGuard
from api_gateway.integration.repositories.callback_secret import callback_masters
from api_gateway.integration.repositories.objects import connect_objects
from api_gateway.integration.repositories.prompts import PromptDocuments
from api_gateway.integration.repositories.shared_windows import SharedWindows
from api_gateway.settings import ApiGatewaySettings
from neuroglia.core import Clock, ConfigurationError
from neuroglia.domain import Repository
from neuroglia.hosting import WebApplicationBuilder


def create_builder(settings: ApiGatewaySettings) -> WebApplicationBuilder:
    """All parts but those that reach the outside."""
    builder = WebApplicationBuilder(settings)
    builder.add_controllers("api_gateway.api")
    builder.add_mediation("api_gateway.application")
    builder.add_documents("api_gateway.integration.models")
    builder.add_background_tasks("api_gateway.application")
    builder.add_cloud_events("api_gateway.application")
    builder.add_operations()
    builder.add_api_keys()
    builder.services.add_instance(PromptLimits, PromptLimits(patience=settings.patience))
    builder.services.add_scoped(Repository[Prompt], PromptDocuments)
    builder.services.add_singleton(Storage, SharedWindows)
    return builder


def reach_outside(builder: WebApplicationBuilder, settings: ApiGatewaySettings) -> WebApplicationBuilder:
    """Binds the ports to what the settings name."""
    guard, services = OutgoingGuard(_rules(settings)), builder.services
    client = partial(guarded_client, guard, trusted_by(settings.outgoing_ca_file))
    masters = callback_masters(settings.callback_secret, settings.data_dir / "callback-secret")

    def genai(clock: Clock) -> GenAiService:
        key = settings.genai_api_key
        told = None if key is None else key.get_secret_value()
        return connect_genai(settings.genai_url, clock, api_key=told, timeout_s=settings.genai_timeout)

    def callbacks(clock: Clock) -> Callbacks:
        return HttpCallbacks(client(CALLBACK_TIMEOUT), CallbackSecrets(masters), clock)

    def packages(objects: ObjectStore, clock: Clock) -> DataPackages:
        limits = _data_limits(settings)
        return HttpDataPackages(client(limits.timeout), objects, limits, settings.data_dir / "downloads", clock)

    services.add_instance(UrlGuard, guard)
    services.add_instance(ObjectStore, connect_objects(settings.url(settings.object_store_url)))
    services.add_singleton(GenAiService, genai)
    services.add_singleton(Callbacks, callbacks)
    services.add_singleton(DataPackages, packages)
    for asked in dependencies.ALL:
        services.add_singleton(Dependency, asked)
    return builder


def _data_limits(settings: ApiGatewaySettings) -> DataLimits:
    if unknown := set(settings.data_media_types) - KNOWN_MEDIA_TYPES:
        raise ConfigurationError(f"DATA_MEDIA_TYPES: {', '.join(sorted(unknown))} cannot be told by its content")
    return DataLimits(
        size=settings.data_max_bytes,
        seconds=settings.data_timeout,
        media_types=settings.data_media_types,
        archive=ArchiveLimits(settings.data_max_entries, settings.data_max_unpacked_bytes),
    )


def _rules(settings: ApiGatewaySettings) -> OutgoingRules:
    return OutgoingRules.of(
        allow_http=settings.outgoing_allow_http,
        hosts=settings.outgoing_hosts,
        ports=settings.outgoing_ports,
        networks=settings.outgoing_allowed_networks,
    )


def create_app(settings: ApiGatewaySettings | None = None) -> FastAPI:
    """The API Gateway as an ASGI application."""
    settings = settings or ApiGatewaySettings()
    return reach_outside(create_builder(settings), settings).build()
