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
        self._codecs: dict[str, JsonCodec[Any]] = {}
        self._names: dict[type[DomainEvent], str] = {}
        self._classes: dict[str, type[DomainEvent]] = {}
        for kind in events:
            name = vars(kind).get("event_type")
            if name is None:
                raise ConfigurationError(
                    f'{kind.__name__}: an event needs a name; write @event("service.fact.v1") over it'
                )
            if name in self._codecs:
                raise ConfigurationError(f"{kind.__name__}: another event is already called {name}")
            self._codecs[name] = JsonCodec(kind)
            self._names[kind] = name
            self._classes[name] = kind
        self._chains = _chains(upcasters, self._codecs)

    def name(self, event: DomainEvent) -> str:
        """The stored name of an event's type."""
        try:
            return self._names[type(event)]
        except KeyError:
            raise ConfigurationError(
                f"{type(event).__name__} is not in the package given to add_event_sourcing, or has no @event"
            ) from None

    def class_of(self, stored_type: str) -> type[DomainEvent] | None:
        """The event class that a stored type leads to; None when it is unknown."""
        chain = self._chains.get(stored_type)
        return self._classes.get(stored_type if chain is None else chain[0])

    def encode(self, event: DomainEvent) -> bytes:
        """An event's data as JSON."""
        return self._codecs[self.name(event)].encode(event)

    def decode(self, stored: StoredEvent) -> DomainEvent:
        """The event in its newest shape.

        Raises:
            UnknownEventType, UndecodableEvent: naming stream and revision, not the data.
        """
        chain = self._chains.get(stored.type)
        if chain is None and stored.type not in self._codecs:
            raise UnknownEventType(f"{stored.stream}@{stored.revision} is of the unknown type {stored.type}")
        try:
            if chain is None:
                return self._codecs[stored.type].decode(stored.data)  # type: ignore[no-any-return]
            name, upcasters = chain
            data: Mapping[str, Any] = json.loads(stored.data)
            for upcaster in upcasters:
                data = upcaster(data)
            return self._codecs[name].decode_mapping(data)  # type: ignore[no-any-return]
        except (ValueError, LookupError, TypeError, AttributeError, DomainError) as error:
            # an upcaster that stumbles, or a value object that refuses; `from None`: their texts hold data
            what = f"{stored.stream}@{stored.revision} ({stored.type}): {type(error).__name__}"
            raise UndecodableEvent(what) from None

    def open(self, stored: StoredEvent) -> Envelope:
        """The event with what the store knows of it. Raises like `decode`."""
        return Envelope(
            event=self.decode(stored),
            id=stored.id,
            stream=stored.stream,
            revision=stored.revision,
            position=stored.position,
            recorded_at=stored.metadata.recorded_at,
            correlation_id=stored.metadata.correlation_id,
            causation_id=stored.metadata.causation_id,
            actor=stored.metadata.actor,
        )


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
        name, seen = old, {old}
        while name in steps:
            name, upcaster = steps[name]
            path.append(upcaster)
            if name in seen:
                raise ConfigurationError(f"{old}: its upcasters form a cycle at {name}")
            seen.add(name)
        if name not in known:
            raise ConfigurationError(f"{old}: its upcasters end at {name}, which is no event of this service")
        if old in known:
            raise ConfigurationError(f"{old}: an event class and an upcaster both have this name; rename the class")
        chains[old] = (name, path)
    return chains
