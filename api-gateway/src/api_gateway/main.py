"""The composition root: the only file that knows every layer."""

from fastapi import FastAPI

from api_gateway.application.limits import PromptLimits
from api_gateway.domain.models.prompt import Prompt
from api_gateway.integration import outgoing
from api_gateway.integration.clients import dependencies
from api_gateway.integration.ports import Callbacks, DataPackages, Dependency, GenAiService, ObjectStore, UrlGuard
from api_gateway.integration.repositories.prompts import PromptDocuments
from api_gateway.settings import ApiGatewaySettings
from neuroglia.domain import Repository
from neuroglia.hosting import WebApplicationBuilder
