"""What the server decides when somebody writes: the rules of expected versions, idempotency and deletes."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from tests.support.eventstoredb.log import DELETED, Log, Proposed, Record

NO_STREAM: Final = -1
ANY: Final = -2
EXISTS: Final = -4
MOST_BYTES: Final = 2**20
"""What the server takes in one append, unless it is told otherwise."""


class StreamDeleted(Exception):
    """The stream has a tombstone; or it is softly deleted, and should exist."""

    def __init__(self, stream: str) -> None:
        super().__init__(f"Event stream '{stream}' is deleted.")
        self.stream = stream


class WrongExpectedVersion(Exception):
    """The stream is at another revision."""

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        super().__init__(stream)
        self.stream, self.expected, self.actual = stream, expected, actual


class MaximumAppendSizeExceeded(Exception):
    """More bytes in one append than the server is set to take."""

    def __init__(self, most: int) -> None:
        super().__init__(f"Maximum Append Size of {most} Exceeded.")
        self.most = most


@dataclass(frozen=True, slots=True)
class Written:
    """Where the last event of an append stands; `position` is None when there was none."""

    revision: int
    position: int | None


class Writer:
    """Applies the rules to a log."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def append(self, stream: str, expected: int, events: Sequence[Proposed]) -> Written:
        """Raises: StreamDeleted, WrongExpectedVersion, MaximumAppendSizeExceeded."""
        if sum(len(event.data) + len(event.metadata) + 2 * len(event.type) for event in events) > MOST_BYTES:
            raise MaximumAppendSizeExceeded(MOST_BYTES)
        repeated = self._check(stream, expected, [event.id for event in events])
        if repeated is not None:
            return Written(repeated.revision, repeated.position)
        last = self._log.last_revision(stream)
        if not events:
            return Written(last, None)
        writes = [(stream, last + 1, events), *self._undelete(stream, events)]
        written = self._log.write(*writes)[len(events) - 1]
        return Written(written.revision, written.position)

    def delete(self, stream: str, expected: int) -> int:
        """Hides what is in the stream. Its revisions go on behind that. Raises as `append` does."""
        self._must_exist(stream, expected)
        deleted = _metadata_event({"$tb": DELETED})
        (record,) = self._log.write((f"$${stream}", self._log.last_revision(f"$${stream}") + 1, [deleted]))
        return record.position

    def tombstone(self, stream: str, expected: int) -> int:
        """Ends the stream for ever. Raises as `append` does."""
        self._must_exist(stream, expected)
        (record,) = self._log.write((stream, DELETED, [Proposed(str(uuid4()), "$streamDeleted", b"{}")]))
        return record.position

    def _must_exist(self, stream: str, expected: int) -> None:
        self._check(stream, expected, [])
        if self._log.last_revision(stream) < 0:
            raise WrongExpectedVersion(stream, expected, NO_STREAM)

    def _check(self, stream: str, expected: int, ids: Sequence[str]) -> Record | None:
        """The last record of the same append when it was made before; None when it may be made now."""
        log, last = self._log, self._log.last_revision(stream)
        wrong = WrongExpectedVersion(stream, expected, last)
        if log.is_tombstoned(stream) or (expected == EXISTS and log.is_deleted(stream)):
            raise StreamDeleted(stream)
        if expected == EXISTS and last < 0:
            raise wrong
        if expected in (ANY, EXISTS):
            known = [log.known(stream, id) for id in ids]
            if known and known[0] is not None and not all(known):
                raise wrong
            return known[-1] if known and all(known) else None
        if expected < last:
            there = log.at(stream, expected + 1, len(ids))
            if ids and [record.event.id for record in there] == ids:
                return there[-1]
            if expected == NO_STREAM and log.is_deleted(stream):
                return None
        if expected != last:
            raise wrong
        return None  # the ids are not looked at here: the same event can be written twice

    def _undelete(self, stream: str, events: Sequence[Proposed]) -> list[tuple[str, int, Sequence[Proposed]]]:
        """What else is written so that a softly deleted stream shows what comes now, and nothing from before."""
        target = stream.removeprefix("$$")
        if not self._log.is_deleted(target):
            return []
        metadata = json.loads(events[-1].data) if target != stream else {}
        revision = self._log.last_revision(f"$${target}") + 1 + (len(events) if target != stream else 0)
        shown = _metadata_event({**metadata, "$tb": self._log.last_revision(target) + 1})
        return [(f"$${target}", revision, [shown])]


def _metadata_event(metadata: dict[str, int]) -> Proposed:
    return Proposed(str(uuid4()), "$metadata", json.dumps(metadata).encode())
