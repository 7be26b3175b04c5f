"""The composition root: the only file that knows every layer."""

from fastapi import FastAPI

from api_gateway.settings import ApiGatewaySettings
from neuroglia.hosting import WebApplicationBuilder


def create_app(settings: ApiGatewaySettings | None = None) -> FastAPI:
    """The API Gateway as an ASGI application."""
    builder = WebApplicationBuilder(settings or ApiGatewaySettings())
    builder.add_controllers("api_gateway.api")
    builder.add_mediation("api_gateway.application")
    builder.add_documents("api_gateway.integration.models")
    builder.add_api_keys()
    return builder.build()
