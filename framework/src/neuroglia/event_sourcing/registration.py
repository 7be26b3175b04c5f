"""Finding aggregates, events, upcasters and projections, and registering what serves them."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any, cast

from neuroglia.core.errors import ConfigurationError
from neuroglia.core.scanning import classes, functions
from neuroglia.dependency_injection import ServiceCollection
from neuroglia.domain import AggregateRoot, DomainEvent
from neuroglia.domain.events import Upcaster
from neuroglia.event_sourcing.codec import EventCodec
from neuroglia.event_sourcing.projections import Projection, ProjectionType
from neuroglia.event_sourcing.read_your_writes import ReadYourWrites
from neuroglia.event_sourcing.subscriptions import ProjectionRunner, runner_factory
from neuroglia.mediation import PipelineBehavior


def add_aggregates(services: ServiceCollection, modules: Sequence[ModuleType]) -> Sequence[str]:
    """Registers the codec for all events of a domain. Returns the prefixes of its aggregates' streams.

    Raises:
        ConfigurationError: an aggregate without a stream, or two with one; a wrong `@when`; what EventCodec refuses.
    """
    owners: dict[str, type[AggregateRoot]] = {}
    for aggregate in classes(modules, AggregateRoot):
        stream = getattr(aggregate, "stream", None)
        if stream is None:
            raise ConfigurationError(
                f'{aggregate.__name__}: has no stream; write ({AggregateRoot.__name__}, stream="…")'
            )
        if stream in owners:
            raise ConfigurationError(
                f"{aggregate.__name__}: {owners[stream].__name__} already has the stream '{stream}'"
            )
        owners[stream] = aggregate
        try:
            aggregate.transitions()
        except TypeError as error:
            raise ConfigurationError(str(error)) from None
    events = [kind for kind in classes(modules, DomainEvent) if "event_type" in vars(kind) or not kind.__subclasses__()]
    upcasters = cast("Sequence[Upcaster]", functions(modules, "__upcasts__"))
    services.add_instance(EventCodec, EventCodec(events, upcasters))
    return [f"{stream}-" for stream in owners]


def add_projections(
    services: ServiceCollection, modules: Sequence[ModuleType], prefixes: Sequence[str], lease_seconds: float
) -> None:
    """Registers the projections of these modules, each with a runner that works while it has the lease.

    Raises:
        ConfigurationError: two projections that write one model or share a name; what ProjectionType refuses.
    """
    writers: dict[type[Any], type[Projection]] = {}
    names: dict[str, type[Projection]] = {}
    for projection in classes(modules, Projection):
        kind = ProjectionType.read(projection)
        for model in kind.models:
            if model in writers:
                raise ConfigurationError(
                    f"{projection.__name__} and {writers[model].__name__} both write {model.__name__}; "
                    f"a read model has one projection"
                )
            writers[model] = projection
        if projection.name in names:
            raise ConfigurationError(f"{projection.__name__}: another projection is already called {projection.name}")
        names[projection.name] = projection
        services.add_scoped(projection)
        services.add_singleton(ProjectionRunner, runner_factory(kind, prefixes, lease_seconds))
    services.add_singleton(PipelineBehavior, ReadYourWrites)
