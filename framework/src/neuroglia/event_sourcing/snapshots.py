"""Snapshots: a cache of aggregates' states, so that a long stream need not be replayed from its beginning.

An aggregate class asks for it: `class BankAccount(AggregateRoot, stream="bank_account", snapshot_every=100)`. The state
is the class's annotated attributes. What does not fit any more is ignored, and replaced in time. Beside what is stored
every so often, the latest states of the busiest aggregates stay in memory. Whichever is used, the log is asked for the
event that it was taken behind, and for what came later.
"""

import hashlib
import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, ClassVar, Final, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from pydantic import BaseModel, TypeAdapter
from typing_extensions import TypedDict

from neuroglia.core.codec import JsonCodec
from neuroglia.core.errors import ApplicationError
from neuroglia.documents import DocumentStore, DocumentType, Write, document
from neuroglia.domain import AggregateRoot, Envelope

A = TypeVar("A", bound=AggregateRoot)
_IN_MEMORY: Final = 1024
_IMMUTABLE: Final = (NoneType, str, bytes, int, float, Decimal, date, time, timedelta, UUID, Enum)
_log: Final = logging.getLogger("neuroglia.snapshots")


@document("snapshots", key="stream")
class Snapshot(BaseModel):
    """The state of an aggregate behind one of its events, as JSON, and the shape that it has."""

    stream: str
    event_id: str
    position: int
    shape: str
    state: str


class Snapshots:
    """Loads and keeps snapshots. Whatever goes wrong with them is logged and costs time, nothing else."""

    def __init__(self, store: DocumentStore) -> None:
        self._store = store
        self._documents: DocumentType[Snapshot] = DocumentType(Snapshot)
        self._shapes: dict[type[AggregateRoot], _Shape] = {}
        self._recent: OrderedDict[str, _Recent] = OrderedDict()  # the least recently saved first

    async def load(self, stream: str, aggregate: AggregateRoot, *, at_most: int | None = None) -> str | None:
        """Brings a new aggregate to the state of its snapshot, if there is one from position `at_most` or before.

        Returns the id of the event behind which it was taken.
        """
        if type(aggregate).snapshot_every is None:
            return None
        try:
            shape, recent = self._shape(type(aggregate)), self._recent.get(stream)
            if recent is not None and _fits(recent, shape, at_most):
                shape.restore(aggregate, recent.state)
                return recent.event_id
            if stored := await self._store.get(self._documents.collection, stream):
                snapshot = self._documents.codec.decode(stored.body)
                if _fits(snapshot, shape, at_most):
                    shape.restore(aggregate, snapshot.state)
                    return snapshot.event_id
        except (ApplicationError, ValueError) as error:
            _log.warning("snapshot not used", extra={"stream": stream, "error": type(error).__name__})
        return None

    async def keep(self, aggregate: AggregateRoot, last: Envelope, *, before: int) -> None:
        """Takes a snapshot behind `last`; stores it if its turn came between the version `before` and the present."""
        every = type(aggregate).snapshot_every
        if every is None:
            return
        try:
            shape = self._shape(type(aggregate))
            self._recent[last.stream] = _Recent(last.id, last.position, shape.hash, shape.remember(aggregate))
            self._recent.move_to_end(last.stream)
            if len(self._recent) > _IN_MEMORY:
                self._recent.popitem(last=False)
            if (aggregate.version + 1) // every == (before + 1) // every:
                return
            state = shape.encode(aggregate)
            snapshot = Snapshot(
                stream=last.stream, event_id=last.id, position=last.position, shape=shape.hash, state=state
            )
            stored = await self._store.get(self._documents.collection, last.stream)
            version, body = stored.version if stored else 0, self._documents.codec.encode(snapshot)
            await self._store.commit([Write(self._documents.collection, last.stream, version, body)])
        except (ApplicationError, ValueError, AttributeError) as error:  # a rival's snapshot is as good
            _log.warning("snapshot not kept", extra={"stream": last.stream, "error": type(error).__name__})

    def _shape(self, kind: type[AggregateRoot]) -> "_Shape":
        if kind not in self._shapes:
            self._shapes[kind] = _Shape(kind)
        return self._shapes[kind]


class _Recent(NamedTuple):
    """The state of an aggregate behind one of its events, in memory: its values, or JSON where these could change."""

    event_id: str
    position: int
    shape: str
    state: "tuple[object, ...] | str"


def _fits(snapshot: "Snapshot | _Recent", shape: "_Shape", at_most: int | None) -> bool:
    return snapshot.shape == shape.hash and (at_most is None or snapshot.position <= at_most)


class _Shape:
    """What a snapshot of an aggregate class holds; the hash changes with any type in it."""

    def __init__(self, kind: type[AggregateRoot]) -> None:
        hints = get_type_hints(kind, include_extras=True)
        self._names = [name for name, hint in hints.items() if get_origin(hint) is not ClassVar]
        self._values: Callable[[AggregateRoot], tuple[object, ...]] = attrgetter(*self._names)
        plain = get_type_hints(kind)
        self._can_be_shared = all(_is_immutable(plain[name]) for name in self._names)
        fields: Any = TypedDict(kind.__name__, {name: hints[name] for name in self._names})  # type: ignore[misc]
        self._codec: JsonCodec[Mapping[str, Any]] = JsonCodec(fields)
        schema = json.dumps(TypeAdapter(fields).json_schema(), sort_keys=True)
        self.hash = hashlib.sha256(schema.encode()).hexdigest()[:16]

    def encode(self, aggregate: AggregateRoot) -> str:
        """The state as it is stored."""
        return self._codec.encode(dict(zip(self._names, self._values(aggregate), strict=True))).decode()

    def remember(self, aggregate: AggregateRoot) -> tuple[object, ...] | str:
        """The state as it can be kept in memory while the aggregate goes on."""
        return self._values(aggregate) if self._can_be_shared else self.encode(aggregate)

    def restore(self, aggregate: AggregateRoot, state: tuple[object, ...] | str) -> None:
        """Brings an aggregate to a state of either form."""
        if isinstance(state, str):
            vars(aggregate).update(self._codec.decode(state))
        else:
            vars(aggregate).update(zip(self._names, state, strict=True))


def _is_immutable(hint: Any, within: frozenset[type] = frozenset()) -> bool:
    """Whether no value of a type can change, however deep one looks. When in doubt, it can.

    `within`: the dataclasses that are being looked through, one of which may stand in itself.
    """
    if get_origin(hint) in {Union, UnionType, tuple}:
        return all(part is Ellipsis or _is_immutable(part, within) for part in get_args(hint))
    if not isinstance(hint, type):
        return False
    if is_dataclass(hint) and hint not in within:
        frozen = getattr(hint, "__dataclass_params__").frozen  # noqa: B009
        return frozen and all(_is_immutable(part, within | {hint}) for part in get_type_hints(hint).values())
    return hint in within or issubclass(hint, _IMMUTABLE)
