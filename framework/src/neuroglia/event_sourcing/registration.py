"""Finding aggregates, events, upcasters and subscribers, and registering what serves them."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any, cast

from neuroglia.core.errors import ConfigurationError
from neuroglia.core.scanning import classes, functions
from neuroglia.dependency_injection import ServiceCollection
from neuroglia.domain import AggregateRoot, DomainEvent
from neuroglia.domain.events import Upcaster
from neuroglia.event_sourcing.codec import EventCodec
from neuroglia.event_sourcing.handlers import Subscriber, SubscriberType
from neuroglia.event_sourcing.projections import Projection
from neuroglia.event_sourcing.reactions import Reaction
from neuroglia.event_sourcing.read_your_writes import ReadYourWrites
from neuroglia.event_sourcing.subscriptions import Means, SubscriptionRunner, runner_factory
from neuroglia.mediation import PipelineBehavior


def add_aggregates(services: ServiceCollection, modules: Sequence[ModuleType]) -> Sequence[str]:
    """Registers the codec for all events of a domain. Returns the prefixes of its aggregates' streams.

    Raises:
        ConfigurationError: an aggregate without a stream, or two with one; a wrong `@when`; what EventCodec refuses.
    """
    owners: dict[str, type[AggregateRoot]] = {}
    for aggregate in classes(modules, AggregateRoot):
        stream, name = getattr(aggregate, "stream", None), aggregate.__name__
        if stream is None:
            raise ConfigurationError(f'{name}: has no stream; write ({AggregateRoot.__name__}, stream="…")')
        if stream in owners:
            raise ConfigurationError(f"{name}: {owners[stream].__name__} already has the stream '{stream}'")
        owners[stream] = aggregate
        try:
            aggregate.transitions()
        except TypeError as error:
            raise ConfigurationError(str(error)) from None
    events = [kind for kind in classes(modules, DomainEvent) if "event_type" in vars(kind) or not kind.__subclasses__()]
    upcasters = cast("Sequence[Upcaster]", functions(modules, "__upcasts__"))
    services.add_instance(EventCodec, EventCodec(events, upcasters))
    return [f"{stream}-" for stream in owners]


def add_subscriber(
    services: ServiceCollection, kind: SubscriberType, prefixes: Sequence[str], lease_seconds: float
) -> None:
    """Registers one projection or reaction, with a runner that works while it has the lease."""
    services.add_scoped(kind.subscriber)
    services.add_singleton(SubscriptionRunner, runner_factory(kind, prefixes, lease_seconds))


def add_subscribers(
    services: ServiceCollection, modules: Sequence[ModuleType], prefixes: Sequence[str], lease_seconds: float
) -> None:
    """Registers the projections and reactions of these modules, each with a runner that works while it has the lease.

    Raises:
        ConfigurationError: two projections that write one model, two subscribers with one name; what SubscriberType
            refuses.
    """
    writers: dict[type[Any], type[Subscriber]] = {}
    names: dict[str, type[Subscriber]] = {}
    for subscriber in [*classes(modules, Projection), *classes(modules, Reaction)]:
        kind = SubscriberType.read(subscriber)
        for model in kind.models if issubclass(subscriber, Projection) else ():
            if model in writers:
                both = f"{subscriber.__name__} and {writers[model].__name__} both write {model.__name__}"
                raise ConfigurationError(f"{both}; a read model has one projection")
            writers[model] = subscriber
        if subscriber.name in names:
            raise ConfigurationError(f"{subscriber.__name__}: another subscriber is already called {subscriber.name}")
        names[subscriber.name] = subscriber
        add_subscriber(services, kind, prefixes, lease_seconds)
    services.add_singleton(Means)
    services.add_singleton(PipelineBehavior, ReadYourWrites)
