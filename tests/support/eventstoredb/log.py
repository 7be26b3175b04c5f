"""The durable log: one JSON line for each write, so that a write is there as a whole or not at all."""

import json
import os
import time
from asyncio import Event
from base64 import b64decode, b64encode
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

DELETED: Final = 2**63 - 1
"""`$tb` of a stream that is softly deleted; revision of a tombstone."""
_EPOCH_BYTES: Final = 170
"""The server's own first record stands at position 0; clients do not get to see it."""
_RECORD_BYTES: Final = 120


@dataclass(frozen=True, slots=True)
class Proposed:
    """An event that a client wants to be written."""

    id: str
    type: str
    data: bytes
    metadata: bytes = b""
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Record:
    """An event of the log. `created` counts 100 ns since 1970."""

    position: int
    stream: str
    revision: int
    created: int
    event: Proposed


class Log:
    """All records in order, and the same by stream. Positions grow with the bytes written: they have holes.

    Attributes:
        grown: set, and replaced by a new one, when there are new records.
    """

    def __init__(self, file: Path) -> None:
        self.records: list[Record] = []
        self.grown = Event()
        self._positions: list[int] = []
        self._end = _EPOCH_BYTES
        self._streams: dict[str, list[Record]] = {}
        self._known: dict[tuple[str, str], Record] = {}
        self._tombstones: set[str] = set()
        self._load(file)
        self._file = file.open("ab", buffering=0)

    def write(self, *writes: tuple[str, int, Sequence[Proposed]]) -> list[Record]:
        """Adds events to streams, each from a revision on: all or none. They are on the disk when it returns."""
        created, position = time.time_ns() // 100, self._end
        records: list[Record] = []
        for stream, first, events in writes:
            for revision, event in enumerate(events, first):
                records.append(Record(position, stream, revision, created, event))
                position += _RECORD_BYTES + len(stream) + len(event.type) + len(event.data) + len(event.metadata)
        self._file.write(json.dumps([position, [_dump(record) for record in records]]).encode() + b"\n")
        os.fsync(self._file.fileno())
        self._add(position, records)
        self.grown.set()
        self.grown = Event()
        return records

    def close(self) -> None:
        """Ends the writing."""
        self._file.close()

    def last_revision(self, stream: str) -> int:
        """-1 when the stream never was. A soft delete does not change it."""
        records = self._streams.get(stream)
        return records[-1].revision if records else -1

    def is_tombstoned(self, stream: str) -> bool:
        """Whether its name can never be used again."""
        return stream in self._tombstones

    def is_deleted(self, stream: str) -> bool:
        """Whether it is softly deleted."""
        return self.truncate_before(stream) == DELETED

    def truncate_before(self, stream: str) -> int:
        """The first revision that reads of the stream show."""
        return int(self.metadata(stream).get("$tb", 0))

    def metadata(self, stream: str) -> dict[str, Any]:
        """What the last event of `$$stream` says."""
        records = self._streams.get(f"$${stream}")
        return json.loads(records[-1].event.data) if records else {}

    def known(self, stream: str, id: str) -> Record | None:
        """The record of an event id in a stream."""
        return self._known.get((stream, id))

    def at(self, stream: str, revision: int, count: int) -> list[Record]:
        """Records of a stream, visible or not."""
        return self._streams.get(stream, [])[revision : revision + count]

    def visible(self, stream: str) -> list[Record]:
        """What a read of the stream may show. Of a metadata stream that is its last event."""
        records = self._streams.get(stream, [])
        return records[-1:] if stream.startswith("$$") else records[self.truncate_before(stream) :]

    def index_of(self, position: int, *, behind: bool = False) -> int:
        """Where in `records` the first one at, or behind, a position stands."""
        return (bisect_right if behind else bisect_left)(self._positions, position)

    def is_boundary(self, position: int) -> bool:
        """Whether a record begins here: the server can start reading nowhere else."""
        index = self.index_of(position)
        return position in (0, self._end) or (index < len(self.records) and self._positions[index] == position)

    def _add(self, end: int, records: Sequence[Record]) -> None:
        self._end = end
        for record in records:
            self.records.append(record)
            self._positions.append(record.position)
            if record.revision == DELETED:
                self._tombstones.add(record.stream)
            else:
                self._streams.setdefault(record.stream, []).append(record)
            self._known[record.stream, record.event.id] = record

    def _load(self, file: Path) -> None:
        file.touch()
        whole = 0
        with file.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):  # its writer was killed, so nobody was told that it is there
                    break
                end, dumped = json.loads(line)
                self._add(end, [_load(values) for values in dumped])
                whole += len(line)
        os.truncate(file, whole)


def _dump(record: Record) -> list[Any]:
    event = record.event
    body = [b64encode(part).decode() for part in (event.data, event.metadata)]
    return [
        record.position,
        record.stream,
        record.revision,
        record.created,
        event.id,
        event.type,
        *body,
        event.content_type,
    ]


def _load(values: list[Any]) -> Record:
    position, stream, revision, created, id, type, data, metadata, content_type = values
    return Record(
        position, stream, revision, created, Proposed(id, type, b64decode(data), b64decode(metadata), content_type)
    )
