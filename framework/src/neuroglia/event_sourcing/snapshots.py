"""Snapshots: a cache of aggregates' states, so that a long stream need not be replayed from its beginning.

An aggregate class asks for it: `class BankAccount(AggregateRoot, stream="bank_account", snapshot_every=100)`. The state
is the class's annotated attributes. What does not fit any more is ignored, and replaced in time. Beside what is stored
every so often, the latest states of the busiest aggregates stay in memory. Whichever is used, the log is asked for the
event that it was taken behind, and for what came later; or it confirms that there is nothing later (see `OneCommand`).
"""

import functools
import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, TypeGuard, cast, get_origin, get_type_hints

from pydantic import BaseModel, TypeAdapter
from typing_extensions import TypedDict

from neuroglia.core.codec import JsonCodec
from neuroglia.core.errors import ApplicationError
from neuroglia.documents import DocumentStore, DocumentType, Write, document
from neuroglia.domain import AggregateRoot, Envelope

_IN_MEMORY: Final = 1024
_log: Final = logging.getLogger("neuroglia.snapshots")


@document("snapshots", key="stream")
class Snapshot(BaseModel):
    """The state of an aggregate behind one of its events, as JSON, and the shape that it has."""

    stream: str
    event_id: str
    shape: str
    state: str


_SNAPSHOTS: Final = DocumentType(Snapshot)


class Snapshots:
    """Loads and keeps snapshots. Whatever goes wrong with them is logged and costs time, nothing else."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store
        self._recent: OrderedDict[str, Snapshot] = OrderedDict()  # the least recently saved first
        self._latest: dict[str, str] = {}  # of those, the last event, unless somebody else was met there since

    async def load(self, stream: str, aggregate: AggregateRoot) -> str | None:
        """Brings a new aggregate to the state of its snapshot, if there is one.

        Returns the id of the event behind which it was taken.
        """
        if type(aggregate).snapshot_every is None:
            return None
        try:
            shape = _shape(type(aggregate))
            if not _fits(snapshot := self._recent.get(stream), shape):
                stored = await self._store.get(_SNAPSHOTS.collection, stream)
                snapshot = stored and _SNAPSHOTS.codec.decode(stored.body)
            if _fits(snapshot, shape):
                vars(aggregate).update(shape.codec.decode(snapshot.state))
                return snapshot.event_id
        except (ApplicationError, ValueError) as error:
            _log.warning("snapshot not used", extra={"stream": stream, "error": type(error).__name__})
        return None

    async def keep(self, aggregate: AggregateRoot, last: Envelope, *, before: int) -> None:
        """Takes a snapshot behind `last`; stores it if its turn came between the version `before` and the present."""
        every, stream = type(aggregate).snapshot_every, last.stream
        if every is None:
            return
        try:
            shape = _shape(type(aggregate))
            state = shape.codec.encode({name: getattr(aggregate, name) for name in shape.names}).decode()
            snapshot = Snapshot(stream=stream, event_id=last.id, shape=shape.hash, state=state)
            self._recent[stream] = snapshot
            self._latest[stream] = last.id
            self._recent.move_to_end(stream)
            if len(self._recent) > _IN_MEMORY:
                self._latest.pop(self._recent.popitem(last=False)[0], None)
            if (aggregate.version + 1) // every > (before + 1) // every:
                stored = await self._store.get(_SNAPSHOTS.collection, stream)
                version, body = stored.version if stored else 0, _SNAPSHOTS.codec.encode(snapshot)
                await self._store.commit([Write(_SNAPSHOTS.collection, stream, version, body)])
        except (ApplicationError, ValueError, AttributeError) as error:  # a rival's snapshot is as good
            _log.warning("snapshot not kept", extra={"stream": stream, "error": type(error).__name__})

    def is_latest(self, stream: str, event_id: str) -> bool:
        """Whether, as far as this process knows, the stream ends with this event: it has appended it, and met nobody
        there since."""
        return self._latest.get(stream) == event_id

    def doubt(self, stream: str) -> None:
        """Somebody else appends to this stream, too."""
        self._latest.pop(stream, None)


class _Shape:
    """What a snapshot of an aggregate class holds; the hash changes with any type in it."""

    def __init__(self, kind: type[AggregateRoot]) -> None:
        hints = get_type_hints(kind, include_extras=True)
        self.names = [name for name, hint in hints.items() if get_origin(hint) is not ClassVar]
        fields: Any = TypedDict(kind.__name__, {name: hints[name] for name in self.names})  # type: ignore[misc]
        self.codec: JsonCodec[Mapping[str, Any]] = JsonCodec(fields)
        schema = json.dumps(TypeAdapter(fields).json_schema(), sort_keys=True)
        self.hash = hashlib.sha256(schema.encode()).hexdigest()[:16]


# To mypy, a class is nothing that can be a key.
_shape: Final = cast("Callable[[type[AggregateRoot]], _Shape]", functools.cache(_Shape))


def _fits(snapshot: Snapshot | None, shape: _Shape) -> TypeGuard[Snapshot]:
    return snapshot is not None and snapshot.shape == shape.hash
