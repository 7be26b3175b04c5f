"""The composition root: the only file that knows every layer."""

from fastapi import FastAPI

from neuroglia.hosting import WebApplicationBuilder
from openbank.settings import OpenBankSettings


def create_app(settings: OpenBankSettings | None = None) -> FastAPI:
    """OpenBank as an ASGI application."""
    builder = WebApplicationBuilder(settings or OpenBankSettings())
    builder.add_controllers("openbank.api")
    builder.add_mediation("openbank.application")
    builder.add_event_sourcing("openbank.domain", subscriptions="openbank.application")
    builder.add_documents("openbank.integration.models")
    return builder.build()
