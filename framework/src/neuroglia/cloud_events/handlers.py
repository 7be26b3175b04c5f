"""What answers the events of other services: one class for each type."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Generic, NamedTuple, TypeVar

from neuroglia.cloud_events.events import IntegrationEvent
from neuroglia.core.codec import JsonCodec
from neuroglia.core.errors import ConfigurationError
from neuroglia.core.generics import arguments
from neuroglia.core.scanning import classes

E_contra = TypeVar("E_contra", bound=IntegrationEvent, contravariant=True)


class CloudEventHandler(ABC, Generic[E_contra]):
    """Base of handlers, each in a scope of its own. What it stages in `Documents[...]` is committed together with the
    event's end; the commands that it sends take effect once. A `DomainError` is an answer, and ends the event."""

    @abstractmethod
    async def handle(self, event: E_contra, /) -> None:
        """Does what has to be done."""


class Inbound(NamedTuple):
    """A type of event that this service listens to."""

    codec: JsonCodec[Any]
    handler: type[CloudEventHandler[Any]]


class InboundTypes(dict[str, Inbound]):
    """All of them, by their names."""


def read_handlers(modules: Sequence[ModuleType]) -> InboundTypes:
    """Finds the handlers in these modules.

    Raises:
        ConfigurationError: one that does not say what it handles, two for one type, an event without a name, or
            a method that is no coroutine.
    """
    found = InboundTypes()
    for handler in classes(modules, CloudEventHandler[Any]):
        (kind,) = arguments(handler, CloudEventHandler) or (None,)
        if not inspect.isclass(kind) or not issubclass(kind, IntegrationEvent):
            raise ConfigurationError(f"{handler.__name__}: name its event, as CloudEventHandler[InterestDue]")
        name = vars(kind).get("event_type")
        if name is None:
            raise ConfigurationError(f'{kind.__name__}: needs a type; write @cloud_event("io.service.fact.v1") over it')
        if name in found:
            both = f"{found[name].handler.__name__} and {handler.__name__}"
            raise ConfigurationError(f"{name}: has two handlers, {both}; keep one")
        if not inspect.iscoroutinefunction(handler.handle):
            raise ConfigurationError(f"{handler.__name__}.handle: is a coroutine; write async def")
        found[name] = Inbound(JsonCodec(kind), handler)
    return found
