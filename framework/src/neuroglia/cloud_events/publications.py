"""Publications: which domain events are told to the outside, and what of them."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any, Final, TypeVar, cast, get_origin

from neuroglia.cloud_events.events import CloudEventWriter, JsonObject
from neuroglia.cloud_events.sink import Sink
from neuroglia.core.errors import ConfigurationError
from neuroglia.core.generics import annotations
from neuroglia.core.scanning import functions
from neuroglia.domain import DomainEvent, Envelope
from neuroglia.event_sourcing import EventCodec, Reaction
from neuroglia.event_sourcing.handlers import Handler, SubscriberType

E = TypeVar("E", bound=DomainEvent)
Publication = Callable[[E, Envelope], JsonObject]
_MARK: Final = "__publishes__"


def publishes(name: str) -> Callable[[Publication[E]], Publication[E]]:
    """Marks a pure function that says what the outside is told of an event, under this CloudEvents type: ids, amounts
    and states, and nothing personal."""

    def decorate(publication: Publication[E]) -> Publication[E]:
        setattr(publication, _MARK, name)
        return publication

    return decorate


class CloudEventPublisher(Reaction, name="cloud-events", workers=16):
    """Sends the published events, at least once and in the order of their streams, always with the same id."""

    def __init__(self, writer: CloudEventWriter, sink: Sink) -> None:
        self.writer = writer
        self.sink = sink


def read_publications(modules: Sequence[ModuleType], codec: EventCodec | None) -> SubscriberType:
    """The publisher with all publications of these modules.

    Raises:
        ConfigurationError: one that does not say what it publishes, two for one event or type, or an event that is none
            of this service's.
    """
    handlers: dict[type[DomainEvent], Handler] = {}
    names: set[str] = set()
    for publication in cast("Sequence[Publication[Any]]", functions(modules, _MARK)):
        name, where = getattr(publication, _MARK), getattr(publication, "__name__", "")
        kind = _published(publication, where)
        if codec is None or codec.class_of(vars(kind).get("event_type", "")) is not kind:
            wrong = f"{kind.__name__} is no event of the package given to add_event_sourcing"
            raise ConfigurationError(f"{where}: {wrong}; call that before add_cloud_events")
        if kind in handlers or name in names:
            raise ConfigurationError(f"{where}: {kind.__name__} or {name} is already published; keep one")
        names.add(name)
        handlers[kind] = _handler(name, publication)
    return SubscriberType(CloudEventPublisher, handlers, frozenset())


def _published(publication: Publication[Any], where: str) -> type[DomainEvent]:
    hints = annotations(publication)
    told = get_origin(hints.get("return")) or hints.get("return")
    if inspect.isclass(told) and issubclass(told, Mapping) and not inspect.iscoroutinefunction(publication):
        match [hints.get(name) for name in inspect.signature(publication).parameters]:
            case [type() as kind, second] if issubclass(kind, DomainEvent) and second is Envelope:
                return kind
            case _:
                pass
    raise ConfigurationError(
        f"{where}: what @publishes is a plain function, annotated as "
        f"(event: AccountOpened, envelope: Envelope) -> Mapping[str, JsonValue]"
    )


def _handler(name: str, publication: Publication[Any]) -> Handler:
    async def publish(publisher: CloudEventPublisher, event: DomainEvent, told: Envelope) -> None:
        data = publication(event, told)
        await publisher.sink.deliver(publisher.writer.make(name, data, told.id, told.aggregate_id, told.recorded_at))

    return publish
