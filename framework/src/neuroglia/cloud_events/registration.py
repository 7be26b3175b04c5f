"""Registering what takes and sends CloudEvents."""

from collections.abc import Sequence
from types import ModuleType

from neuroglia.cloud_events.bus import CloudEventBus
from neuroglia.cloud_events.events import CloudEventOptions as CloudEventOptions, CloudEventWriter
from neuroglia.cloud_events.handlers import InboundTypes, read_handlers
from neuroglia.cloud_events.inbox import Inbox
from neuroglia.cloud_events.outbox import Outbox, OutboxDispatcher
from neuroglia.cloud_events.publications import read_publications
from neuroglia.cloud_events.sink import Sink
from neuroglia.core.errors import ConfigurationError
from neuroglia.core.lifecycle import HostedService
from neuroglia.dependency_injection import ServiceCollection
from neuroglia.documents import DocumentStore
from neuroglia.event_sourcing import EventCodec
from neuroglia.event_sourcing.registration import add_subscriber


def add_cloud_events(
    services: ServiceCollection, modules: Sequence[ModuleType], options: CloudEventOptions, prefixes: Sequence[str]
) -> Sequence[type[HostedService]]:
    """Registers the handlers and publications of these modules, and what they need. Returns what is to be hosted.

    Raises:
        ConfigurationError: what `read_handlers` and `read_publications` refuse; there is no document store.
    """
    if not any(registration.service is DocumentStore for registration in services.registrations):
        raise ConfigurationError("add_cloud_events: its inbox and outbox are documents; call add_documents before it")
    codecs = [found.instance for found in services.registrations if found.service is EventCodec]
    inbound, publisher = read_handlers(modules), read_publications(modules, codecs[-1] if codecs else None)
    if publisher.handlers:
        add_subscriber(services, publisher, prefixes, options.lease_seconds)
    for handled in inbound.values():
        services.add_scoped(handled.handler)
    services.add_instance(InboundTypes, inbound)
    services.add_instance(CloudEventOptions, options)
    services.add_singleton(CloudEventBus)
    services.add_singleton(CloudEventWriter)
    services.add_singleton(Sink)
    services.add_scoped(Outbox)
    return [OutboxDispatcher, Inbox]
