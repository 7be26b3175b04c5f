"""The stored form of events, to the letter: what was written once must be readable for ever.

Each file of a folder holds the JSON text of one sample as the event store keeps it, under the event's name. A test that
fails says that the stored form has changed. The remedy is a new version of the event with an upcaster from the old one,
whose file stays; the file of a version that was released is never edited. Where a version only got a new field with a
default, its older text stays beside it, under the name and `~1`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from neuroglia.core.scanning import classes, import_modules
from neuroglia.dependency_injection import ServiceCollection
from neuroglia.domain import DomainEvent
from neuroglia.event_sourcing import EventCodec, StoredEvent
from neuroglia.event_sourcing.registration import add_aggregates


@dataclass(frozen=True)
class Golden:
    """The events of a domain, by its package, and the folder that holds their texts."""

    domain: str
    folder: Path

    @property
    def events(self) -> Sequence[type[DomainEvent]]:
        """All that have a name."""
        return [kind for kind in classes(self._modules, DomainEvent) if "event_type" in vars(kind)]

    @property
    def files(self) -> Sequence[Path]:
        """One for each form that was ever stored."""
        return sorted(self.folder.iterdir())

    def codec(self) -> EventCodec:
        """As the service has it."""
        services = ServiceCollection()
        add_aggregates(services, self._modules)
        return next(one.instance for one in services.registrations if one.service is EventCodec)

    def has(self, kind: type[DomainEvent]) -> bool:
        """Whether there is a text of it."""
        return (self.folder / f"{kind.event_type}.json").exists()

    def text(self, name: str) -> str:
        """What is stored under this name."""
        return (self.folder / f"{name}.json").read_text(encoding="utf-8").removesuffix("\n")

    def stored(self, name: str) -> StoredEvent:
        """The same as an event of the log."""
        return StoredEvent(
            position=0, stream="golden-1", revision=0, id="e", type=name.partition("~")[0],
            data=self.text(name).encode(), recorded_at=datetime(2025, 1, 31, tzinfo=UTC), correlation_id="golden",
            causation_id=None, actor="test",
        )  # fmt: skip

    @property
    def _modules(self) -> Sequence[ModuleType]:
        return import_modules(self.domain)
