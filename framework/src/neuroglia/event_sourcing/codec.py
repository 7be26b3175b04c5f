"""From domain events to stored JSON and back, by explicit type names; old shapes are upcast on the way."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from neuroglia.core.codec import JsonCodec
from neuroglia.core.errors import ConfigurationError
from neuroglia.domain import DomainError, DomainEvent, Envelope
from neuroglia.domain.events import Upcaster
from neuroglia.event_sourcing.store import StoredEvent


class UnknownEventType(Exception):
    """A stored event has a type that this version of the service does not know."""


class UndecodableEvent(Exception):
    """A stored event does not fit its type; it needs an upcaster."""


class EventCodec:
    """Knows every event type of a service."""

    def __init__(self, events: Sequence[type[DomainEvent]], upcasters: Sequence[Upcaster] = ()) -> None:
        """Links names, classes and upcasters.

        Raises:
            ConfigurationError: an event without a name, two with the same one, or a chain of upcasters with a gap,
                a fork or a cycle.
        """
        self._codecs: dict[str, JsonCodec[DomainEvent]] = {}
        self._classes: dict[str, type[DomainEvent]] = {}
        for kind in events:
            name = vars(kind).get("event_type")
            if name is None:
                wrong = f"{kind.__name__}: an event needs a name"
                raise ConfigurationError(f'{wrong}; write @event("service.fact.v1") over it')
            if name in self._codecs:
                raise ConfigurationError(f"{kind.__name__}: another event is already called {name}")
            self._codecs[name] = JsonCodec(kind)
            self._classes[name] = kind
        self._chains = _chains(upcasters, self._codecs)
        self._classes |= {old: self._classes[newest] for old, (newest, _) in self._chains.items()}

    def name(self, event: DomainEvent) -> str:
        """The name by which an event's type is stored."""
        name = getattr(type(event), "event_type", "")
        if self._classes.get(name) is not type(event):
            wrong = f"{type(event).__name__} is not in the package given to add_event_sourcing"
            raise ConfigurationError(f"{wrong}, or has no @event")
        return name

    def encode(self, event: DomainEvent) -> bytes:
        """An event's data as JSON."""
        return self._codecs[self.name(event)].encode(event)

    def class_of(self, stored_type: str) -> type[DomainEvent] | None:
        """What `decode` makes of events that are stored under this name, of old ones too. None: nobody knows it."""
        return self._classes.get(stored_type)

    def decode(self, stored: StoredEvent) -> DomainEvent:
        """The event in its newest shape.

        Raises:
            UnknownEventType, UndecodableEvent: naming stream and revision, not the data.
        """
        try:
            if codec := self._codecs.get(stored.type):
                return codec.decode(stored.data)
            if stored.type not in self._chains:
                raise UnknownEventType(f"{stored.stream}@{stored.revision} is of the unknown type {stored.type}")
            name, upcasters = self._chains[stored.type]
            data: Mapping[str, Any] = json.loads(stored.data)
            for upcaster in upcasters:
                data = upcaster(data)
            return self._codecs[name].decode_mapping(data)
        except (ValueError, LookupError, TypeError, AttributeError, DomainError) as error:
            # an upcaster that stumbles, or a value object that refuses; `from None`: their texts hold data
            what = f"{stored.stream}@{stored.revision} ({stored.type}): {type(error).__name__}"
            raise UndecodableEvent(what) from None

    def open(self, stored: StoredEvent) -> Envelope:
        """The event with what the store knows of it. Raises like `decode`."""
        return Envelope(
            self.decode(stored), stored.id, stored.stream, stored.revision, stored.position, stored.recorded_at,
            stored.correlation_id, stored.causation_id, stored.actor,
        )  # fmt: skip


def _chains(upcasters: Iterable[Upcaster], known: Iterable[str]) -> Mapping[str, tuple[str, Sequence[Upcaster]]]:
    """For each old name, the newest one and the upcasters that lead there."""
    steps: dict[str, tuple[str, Upcaster]] = {}
    for upcaster in upcasters:
        old, new = upcaster.__upcasts__  # type: ignore[attr-defined]
        if old in steps:
            raise ConfigurationError(f"{old}: two upcasters start from it; keep one")
        steps[old] = (new, upcaster)
    chains: dict[str, tuple[str, Sequence[Upcaster]]] = {}
    for old in steps:
        path: list[Upcaster] = []
        name = old
        while name in steps:
            name, upcaster = steps[name]
            path.append(upcaster)
            if len(path) == len(steps) and name in steps:  # all steps are taken, and it goes on
                raise ConfigurationError(f"{old}: its upcasters form a cycle at {name}")
        if name not in known:
            raise ConfigurationError(f"{old}: its upcasters end at {name}, which is no event of this service")
        if old in known:
            raise ConfigurationError(f"{old}: an event class and an upcaster both have this name; rename the class")
        chains[old] = (name, path)
    return chains
