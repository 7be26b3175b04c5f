"""Integration events: what services tell each other, as CloudEvents 1.0."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeVar, dataclass_transform

from cloudevents.core.v1.event import CloudEvent
from pydantic import JsonValue

from neuroglia.core.clock import Clock
from neuroglia.core.codec import JsonCodec
from neuroglia.core.context import ambient_context
from neuroglia.domain.events import as_value


class IntegrationEvent:
    """Base of the events that come from other services or go there. Subclasses are made immutable by `@cloud_event`."""

    __slots__ = ()
    event_type: ClassVar[str]


E = TypeVar("E", bound=IntegrationEvent)
JsonObject = Mapping[str, JsonValue]


@dataclass_transform(frozen_default=True, kw_only_default=True)
def cloud_event(name: str) -> Callable[[type[E]], type[E]]:
    """Gives it the CloudEvents `type`, such as `io.openbank.interest-due.v1`, and makes the class a frozen, slotted,
    keyword-only dataclass: the event's data. Raises like `event`."""

    def decorate(cls: type[E]) -> type[E]:
        made = as_value(cls)
        made.event_type = name
        return made

    return decorate


@dataclass(frozen=True, slots=True)
class CloudEventOptions:
    """What this service is called, to which URL its events go, and how soon others take over what it leaves."""

    service: str
    sink: object | None
    lease_seconds: float


class CloudEventWriter:
    """Makes the CloudEvents of this service."""

    def __init__(self, options: CloudEventOptions, clock: Clock) -> None:
        self._source = f"/{options.service}"
        self._clock = clock
        self._codecs: dict[type[IntegrationEvent], JsonCodec[Any]] = {}

    def wrap(self, event: IntegrationEvent, id: str, subject: str | None) -> CloudEvent:
        """An integration event that happens now."""
        kind = type(event)
        codec = self._codecs.get(kind) or self._codecs.setdefault(kind, JsonCodec(kind))
        return self.make(kind.event_type, json.loads(codec.encode(event)), id, subject, self._clock.now())

    def make(self, type: str, data: JsonObject, id: str, subject: str | None, time: datetime) -> CloudEvent:
        """An event with its attributes. `correlationid` is an extension of ours, `traceparent` one of the Distributed
        Tracing extension (version 1.0.2)."""
        context = ambient_context()
        attributes = {
            "specversion": "1.0", "id": id, "source": self._source, "type": type, "subject": subject, "time": time,
            "datacontenttype": "application/json",
            "correlationid": context and context.correlation_id, "traceparent": context and context.traceparent,
        }  # fmt: skip
        return CloudEvent({name: value for name, value in attributes.items() if value is not None}, dict(data))
