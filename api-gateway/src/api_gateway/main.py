"""The composition root: the only file that knows every layer."""

from fastapi import FastAPI

from api_gateway.application.limits import PromptLimits
from api_gateway.domain.models.prompt import Prompt
from api_gateway.integration.clients.callbacks import CALLBACK_TIMEOUT, HttpCallbacks
from api_gateway.integration.clients.dependencies import Probed, ProbedIssuer, ProbedSink
from api_gateway.integration.clients.guarded_transport import guarded_client
from api_gateway.integration.clients.signatures import CallbackSecrets
from api_gateway.integration.clients.url_guard import OutgoingGuard, OutgoingRules
from api_gateway.integration.genai import connect_genai
from api_gateway.integration.ports import (
    DOCUMENT_STORE,
    Callbacks,
    DataPackages,
    Dependency,
    GenAiService,
    ObjectStore,
    UrlGuard,
)
from api_gateway.integration.repositories.callback_secret import callback_masters
from api_gateway.integration.repositories.objects import connect_objects
from api_gateway.integration.repositories.prompts import PromptDocuments
from api_gateway.settings import ApiGatewaySettings
from neuroglia.core import Clock
from neuroglia.documents import DocumentStore
from neuroglia.domain import Repository
from neuroglia.hosting import WebApplicationBuilder
from neuroglia.security import OAuth2Options


def create_builder(settings: ApiGatewaySettings) -> WebApplicationBuilder:
    """All parts but those that reach the outside."""
    builder = WebApplicationBuilder(settings)
    builder.add_controllers("api_gateway.api")
    builder.add_mediation("api_gateway.application")
    builder.add_documents("api_gateway.integration.models")
    builder.add_background_tasks("api_gateway.application")
    builder.add_cloud_events("api_gateway.application")
    builder.add_api_keys()
    services = builder.services
    services.add_instance(PromptLimits, PromptLimits(patience=settings.patience))
    services.add_scoped(Repository[Prompt], PromptDocuments)
    return builder


def reach_outside(builder: WebApplicationBuilder, settings: ApiGatewaySettings) -> WebApplicationBuilder:
    """Binds the ports to what the settings name."""
    return builder


def create_app(settings: ApiGatewaySettings | None = None) -> FastAPI:
    """The API Gateway as an ASGI application."""
    settings = settings or ApiGatewaySettings()
    return reach_outside(create_builder(settings), settings).build()
