"""The composition root: the only file that knows every layer."""

from fastapi import FastAPI

from neuroglia.hosting import WebApplicationBuilder
from neuroglia.mediation import PipelineBehavior
from openbank.application.authorisation import OwnCustomerOnly
from openbank.application.presenter import AccountPresenter
from openbank.application.reactions.unusual_activity import ActivityLimits, UnusualActivityWatch
from openbank.settings import OpenBankSettings


def create_builder(settings: OpenBankSettings) -> WebApplicationBuilder:
    """All parts of OpenBank, which a test may replace before it builds."""
    builder = WebApplicationBuilder(settings)
    builder.add_controllers("openbank.api")
    builder.add_mediation("openbank.application")
    builder.add_event_sourcing("openbank.domain", subscriptions="openbank.application")
    builder.add_documents("openbank.integration.models")
    builder.add_cloud_events("openbank.application")
    builder.add_operations()
    builder.services.add_singleton(PipelineBehavior, OwnCustomerOnly)
    builder.services.add_scoped(AccountPresenter)
    builder.services.add_instance(ActivityLimits, ActivityLimits(settings.usual_debits, settings.debit_window_seconds))
    builder.add_hosted_service(UnusualActivityWatch)
    return builder


def create_app(settings: OpenBankSettings | None = None) -> FastAPI:
    """OpenBank as an ASGI application."""
    return create_builder(settings or OpenBankSettings()).build()
