"""The composition of an application: what a service's `main.py` calls, top to bottom."""

import asyncio
import functools
import logging
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from types import ModuleType
from typing import Any, Final, NoReturn, TypeVar, get_args, get_origin

from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from fastapi.telemetry import TelemetryConfig
from typing_extensions import TypeForm

from neuroglia.core.clock import Clock, SystemClock
from neuroglia.core.context import RequestContext, current_context
from neuroglia.core.errors import ConfigurationError
from neuroglia.core.generics import name_of
from neuroglia.core.ids import Ids
from neuroglia.core.lifecycle import BackingService, HostedService, Stopping, UnitOfWork
from neuroglia.core.scanning import classes, import_modules
from neuroglia.dependency_injection import ServiceCollection, ServiceProvider
from neuroglia.documents import Documents, DocumentStore, DocumentType, Generations, Session, WorkItem
from neuroglia.documents.leases import LeaseRow
from neuroglia.documents.types import document_types
from neuroglia.domain import History, Repository
from neuroglia.event_sourcing import EventSourcedRepository, EventStore, Subscriptions
from neuroglia.event_sourcing.once import OneCommand, ids_of
from neuroglia.event_sourcing.registration import add_aggregates, add_subscribers
from neuroglia.event_sourcing.snapshots import Snapshot, Snapshots
from neuroglia.event_sourcing.subscriptions import Checkpoint, Fence, Generation
from neuroglia.hosting.backing_services import connect_document_store, connect_event_store, extra
from neuroglia.hosting.docs_page import BACK, DOCS, OPENAPI, add_docs_page
from neuroglia.hosting.health import health_router
from neuroglia.hosting.settings import ServiceSettings
from neuroglia.idempotency import IdempotencyBehavior, IdempotencyRecord, IdempotencyRecords, Outcome
from neuroglia.mapping import Mapper
from neuroglia.mediation import (
    HandlerRegistry,
    LogBehavior,
    Mediator,
    PipelineBehavior,
    RetryBehavior,
    ValidationBehavior,
    add_handlers,
)
from neuroglia.mvc import ControllerBase, RequestMiddleware, add_controller, describe, install_problem_handlers
from neuroglia.mvc.guarded import GuardedRoute
from neuroglia.observability import OFF, Tracing
from neuroglia.operations.events import EventLog
from neuroglia.operations.index import IndexedEvent, add_event_index
from neuroglia.operations.jobs import JobsController
from neuroglia.security import (
    Guard,
    OAuth2Bearer,
    OAuth2Options,
    Scheme,
    SigningKeys,
    allow_pages,
)

_log: Final = logging.getLogger("neuroglia.hosting")
_STOP_S: Final = 8.0
_ADDED_AS: Final = {"domain": "event_sourcing", "mapping": "mediation", "scheduling": "background_tasks"}
API: Final = "/api/v1"
S = TypeVar("S", bound=HostedService)


class WebApplicationBuilder:
    """Collects the parts of a service and builds the FastAPI application from them.

    Every part is found by scanning a package. `services` takes what is left: ports bound to clients, or other
    clocks. What is registered later wins, so a test can replace anything before `build`.
    """

    def __init__(self, settings: ServiceSettings) -> None:
        self.settings, self.services = settings, ServiceCollection()
        self._application: list[ModuleType] = []
        self._controllers: list[type[ControllerBase]] = []
        self._documents: list[DocumentType[Any]] = []
        self._backing: list[TypeForm[BackingService]] = []
        self._hosted: list[TypeForm[HostedService]] = []
        self._prefixes: list[str] = []
        self.services.remedy = _remedy
        self.services.add_instance(type(settings), settings)
        self.services.add_instance(ServiceSettings, settings)
        self.services.add_singleton(Clock, SystemClock)
        for own in (Stopping, SigningKeys, Guard):
            self.services.add_singleton(own)
        self.services.add_instance(OAuth2Options, settings.oauth2)
        self.services.add_singleton(Scheme, OAuth2Bearer)
        self.services.add_scoped(Ids, ids_of)
        self.services.add_scoped(RequestContext, current_context)
        self.services.add_instance(Tracing, OFF)
        self.services.add_singleton(TelemetryConfig, _no_telemetry)
        if settings.otel_exporter_otlp_endpoint:
            with extra("observability", "OTEL_EXPORTER_OTLP_ENDPOINT"):
                from neuroglia.observability import registration
            endpoint = str(settings.otel_exporter_otlp_endpoint)
            self._hosted.append(registration.add_telemetry(self.services, settings.service, endpoint))

    def add_controllers(self, package: str) -> None:
        """Adds the controllers of a package."""
        if not (found := classes(import_modules(package), ControllerBase)):
            raise ConfigurationError(f"add_controllers: {package} has no controllers; name their package")
        for controller in found:
            self._controllers.append(controller)
            self.services.add_singleton(controller)

    def add_mediation(self, package: str) -> None:
        """Adds the command and query handlers of a package, its mappings, and the pipeline around the handlers."""
        if not self._application:
            self.services.add_singleton(Mediator)
            for behavior in (LogBehavior, RetryBehavior, ValidationBehavior):
                self.services.add_singleton(PipelineBehavior, behavior)
        self._application += import_modules(package)
        self.services.add_instance(Mapper, Mapper(self._application))
        self.services.add_instance(HandlerRegistry, add_handlers(self.services, self._application))

    def add_event_sourcing(self, domain: str, *, subscriptions: str) -> None:
        """Adds the event store of `EVENT_STORE_URL`, repositories for the aggregates of the domain package, and a
        runner for each projection and reaction of the `subscriptions` package."""
        url = self.settings.url(self.settings.event_store_url)
        self.services.add_singleton(EventStore, lambda: connect_event_store(url))
        self.services.add_open(Repository, EventSourcedRepository)
        self.services.add_open(History, EventSourcedRepository)
        self.services.add_scoped(OneCommand)
        self.services.add_scoped(UnitOfWork, _one_command)
        self.services.add_singleton(Snapshots)
        self._once(EventStore, "add_event_sourcing")
        self._prefixes += add_aggregates(self.services, import_modules(domain))
        add_subscribers(self.services, import_modules(subscriptions), self._prefixes, self.settings.lease_seconds)
        self.add_hosted_service(Subscriptions)

    def add_documents(self, package: str) -> None:
        """Adds the document store of `DOCUMENT_STORE_URL` and `Documents[...]` for the models of a package."""
        url = self.settings.url(self.settings.document_store_url)
        self.services.add_singleton(DocumentStore, lambda: connect_document_store(url))
        self.services.add_singleton(Generations)
        self.services.add_scoped(Session)
        self.services.add_scoped(UnitOfWork, Outcome)  # in the session's transaction
        self.services.add_scoped(UnitOfWork, _session)
        self.services.add_open(Documents, Documents)
        self._once(DocumentStore, "add_documents")
        self.services.add_singleton(IdempotencyRecords)
        self.services.add_singleton(PipelineBehavior, IdempotencyBehavior)
        own = (Checkpoint, Fence, Generation, Snapshot, LeaseRow, WorkItem, IdempotencyRecord)
        for kind in (*map(DocumentType[Any], own), *document_types(import_modules(package))):
            self._add_document(kind)

    def add_operations(self) -> None:
        """Adds the admin API at `/operations`: jobs, and if there is event sourcing, events with the index that they
        need, and subscriptions. Call it below the stores; the service has documents."""
        self.add_controllers("neuroglia.operations.jobs")
        if EventStore in self._backing:
            self.add_controllers("neuroglia.operations.api")
            self._add_document(DocumentType(IndexedEvent))
            add_event_index(self.services, self._prefixes, self.settings.lease_seconds)
            self.services.add_singleton(EventLog)

    def add_cloud_events(self, package: str) -> None:
        """Adds `/cloudevents` and the handlers behind it, and sends to `CLOUD_EVENTS_SINK` what the package publishes.
        Call it last: it builds on the stores."""
        with extra("cloud-events", "add_cloud_events"):
            from neuroglia.cloud_events import registration
        told, modules = self.settings, import_modules(package)
        options = registration.CloudEventOptions(told.service, told.cloud_events_sink, told.lease_seconds)
        for hosted in registration.add_cloud_events(self.services, modules, options, self._prefixes):
            self.add_hosted_service(hosted)
        self.add_controllers("neuroglia.cloud_events.controller")

    def add_background_tasks(self, package: str, *, workers: int = 8) -> None:
        """Adds the background tasks of a package, and does their jobs, so many at the same time. Call it below
        `add_documents`: jobs are documents."""
        with extra("scheduling", "add_background_tasks"):
            from neuroglia.scheduling import registration
        options = registration.SchedulingOptions(workers, self.settings.lease_seconds)
        for hosted in registration.add_background_tasks(self.services, import_modules(package), options):
            self.add_hosted_service(hosted)
        self._add_document(DocumentType(registration.Schedule))

    def add_api_keys(self) -> None:
        """Lets callers show API keys (`X-API-Key`), too; `ApiKeys` issues them. The service has documents."""
        from neuroglia.security import api_keys  # what most services have no use for

        api_keys.add_api_keys(self.services)
        self._add_document(DocumentType(api_keys.ApiKey))

    def _add_document(self, kind: DocumentType[Any]) -> None:
        for known in self._documents:
            if known.collection == kind.collection:
                taken = f"{known.model.__name__} already has the collection '{kind.collection}'"
                raise ConfigurationError(f"{kind.model.__name__}: {taken}; give it another one")
        self._documents.append(kind)

    def _once(self, service: TypeForm[BackingService], method: str) -> None:
        if service in self._backing:
            raise ConfigurationError(f"{method} was called twice; give it one package that holds them all")
        if JobsController in self._controllers:
            raise ConfigurationError(f"add_operations shows what is there by then; call it below {method}")
        self._backing.append(service)

    def add_hosted_service(self, service: type[S]) -> None:
        """Adds something that runs beside the requests. Started in this order, stopped in reverse."""
        self.services.add_singleton(service)
        self._hosted.append(service)

    def build(self) -> FastAPI:
        """Checks the whole object graph and makes the application. Nothing is opened or started yet.

        Raises:
            ConfigurationError: naming class, parameter and remedy of each mistake.
        """
        for kind in self._documents:
            self.services.add_instance(DocumentType[kind.model], kind)  # type: ignore[name-defined]
        provider = ServiceProvider(self.services)
        service = self.settings.service
        app = FastAPI(
            title=self.settings.title or service,
            docs_url=DOCS,
            swagger_ui_oauth2_redirect_url=BACK,
            redoc_url=None,
            redirect_slashes=False,  # a path has one spelling, and a Location is never made from the Host header
            openapi_url=OPENAPI,
            lifespan=lambda _: self._lifespan(provider),
            telemetry=provider.get_now(TelemetryConfig),
        )
        add_docs_page(app)
        allow_pages(app, self.settings.cors_origins)
        looking, most = provider.get_now(Tracing), self.settings.max_body_bytes
        app.add_middleware(RequestMiddleware, service=service, max_body_bytes=most, tracing=looking)
        app.state.services = provider  # for tests and tools; handlers ask by their constructors
        install_problem_handlers(app, service)
        guard = provider.get_now(Guard)
        describe(app, guard)
        for controller in self._controllers:
            add_controller(app, provider.get_now(controller), API, guard, has_log=EventStore in self._backing)
        app.include_router(health_router(provider, self._backing, self._hosted))
        app.add_api_route("/", lambda: RedirectResponse(DOCS), include_in_schema=False)
        app.router.routes.sort(key=lambda route: not isinstance(route, GuardedRoute))  # each request asks them in turn
        for name in (name for name in dir(self) if name.startswith("add_")):
            setattr(self, name, functools.partial(_too_late, name))  # the application would know nothing of it
        return app

    @asynccontextmanager
    async def _lifespan(self, provider: ServiceProvider) -> AsyncGenerator[None]:
        async with AsyncExitStack() as running:
            await running.enter_async_context(provider)
            for kind in self._backing:
                await (await provider.get(kind)).open()
            if DocumentStore in self._backing:
                await (await provider.get(DocumentStore)).prepare(self._documents)
            for hosted in self._hosted:
                service = await provider.get(hosted)
                await service.start()
                running.push_async_callback(_stop, service)
            _log.info("started", extra={"service": self.settings.service})
            yield
            _log.info("stopping", extra={"service": self.settings.service})


async def _stop(service: HostedService) -> None:
    try:
        async with asyncio.timeout(_STOP_S):
            await service.stop()
    except TimeoutError:
        _log.error("a hosted service did not stop in time", extra={"hosted_service": type(service).__name__})


def _too_late(method: str, *_: object, **__: object) -> NoReturn:
    raise ConfigurationError(f"{method} was called after build(); write it above app = builder.build()")


def _remedy(missing: Any) -> str:
    """What brings a service of the framework's own: the author of an application knows the calls, not the parts."""
    if get_origin(missing) is DocumentType:
        return f'write @document("…") over {name_of(get_args(missing)[0])}, in the package given to add_documents'
    framework, *parts = getattr(get_origin(missing) or missing, "__module__", "").split(".")
    methods = [f"add_{_ADDED_AS.get(part, part)}" for part in parts if framework == "neuroglia"]
    return next((f"call builder.{name}(...)" for name in methods if hasattr(WebApplicationBuilder, name)), "")


def _one_command(command: OneCommand) -> UnitOfWork:
    return command


def _no_telemetry() -> TelemetryConfig:
    return TelemetryConfig(auto_configure=False, tracing=False, metrics=False, logs=False)


def _session(session: Session) -> UnitOfWork:
    return session
