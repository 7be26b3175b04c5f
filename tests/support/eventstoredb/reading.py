"""What the server sends to those who read or follow: the protocol's answers, from the log's records."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from uuid import uuid4

from esdbclient.protos.Grpc import shared_pb2, streams_pb2

from tests.support.eventstoredb.log import Log, Record
from tests.support.eventstoredb.writing import StreamDeleted

ReadResp: Any = streams_pb2.ReadResp
Matches = Callable[[Record], bool]


class InvalidPosition(Exception):
    """No record begins at this position of the log."""

    def __init__(self) -> None:
        super().__init__("Trying to read from an invalid position.")


def answers(log: Log, options: Any) -> AsyncIterator[Any]:
    """All answers to one request. Raises StreamDeleted and InvalidPosition."""
    if options.WhichOneof("count_option") == "subscription":
        return _follow_all(log, options) if options.HasField("all") else _follow_stream(log, options)
    return _read(log, options)


async def _read(log: Log, options: Any) -> AsyncIterator[Any]:
    left = options.count
    for answer in _read_all(log, options) if options.HasField("all") else _read_stream(log, options):
        if left == 0:
            break
        left -= 1
        yield answer


def _read_stream(log: Log, options: Any) -> Iterator[Any]:
    """From the revision on, itself included, in both directions."""
    identifier, start = options.stream.stream_identifier, options.stream.WhichOneof("revision_option")
    stream = identifier.stream_name.decode()
    _not_tombstoned(log, stream)
    if log.last_revision(stream) < 0 or log.is_deleted(stream):
        yield ReadResp(stream_not_found=ReadResp.StreamNotFound(stream_identifier=identifier))
        return
    records, revision = log.visible(stream), options.stream.revision
    if options.read_direction == streams_pb2.ReadReq.Options.Backwards:
        shown = [record for record in reversed(records) if start == "end" or record.revision <= revision]
    else:
        shown = [record for record in records if start != "end" and record.revision >= revision]
    yield from map(_event, shown)


def _read_all(log: Log, options: Any) -> Iterator[Any]:
    """Forwards the position is included, backwards it is not."""
    start, matches = options.all.WhichOneof("all_option"), _filter(options)
    position = options.all.position.commit_position
    if start == "position" and not log.is_boundary(position):
        raise InvalidPosition
    if options.read_direction == streams_pb2.ReadReq.Options.Backwards:
        end = {"end": len(log.records), "start": 0}.get(start, log.index_of(position))
        found = (log.records[index] for index in range(end - 1, -1, -1))
    else:
        first = {"end": len(log.records), "start": 0}.get(start, log.index_of(position))
        found = (log.records[index] for index in range(first, len(log.records)))
    yield from map(_event, filter(matches, found))


async def _follow_stream(log: Log, options: Any) -> AsyncIterator[Any]:
    stream, start = options.stream.stream_identifier.stream_name.decode(), options.stream.WhichOneof("revision_option")
    after = {"start": -1, "end": log.last_revision(stream)}.get(start, options.stream.revision)
    yield _confirmation()
    caught_up = False
    while True:
        _not_tombstoned(log, stream)
        grown = log.grown  # that of before the look, so that nothing is missed
        for record in [record for record in log.visible(stream) if record.revision > after]:
            yield _event(record)
            after = record.revision
        if not caught_up:
            yield ReadResp(caught_up=ReadResp.CaughtUp())
            caught_up = True
        await grown.wait()


async def _follow_all(log: Log, options: Any) -> AsyncIterator[Any]:
    """From behind the position. With a filter, checkpoints tell how far it looked where nothing matched."""
    start, matches = options.all.WhichOneof("all_option"), _filter(options)
    position = options.all.position.commit_position
    if start == "position" and not log.is_boundary(position):
        raise InvalidPosition
    index = {"start": 0, "end": len(log.records)}.get(start, log.index_of(position, behind=True))
    interval = (options.filter.max or 32) * max(1, options.filter.checkpointIntervalMultiplier)
    filtered, considered, caught_up = options.HasField("filter"), 0, False
    yield _confirmation()
    while True:
        grown = log.grown
        while index < len(log.records):
            record = log.records[index]
            index, considered = index + 1, considered + 1
            if matches(record):
                yield _event(record)
            if filtered and considered % interval == 0:
                yield _checkpoint(record.position)
        if not caught_up:
            if filtered and index:
                yield _checkpoint(log.records[index - 1].position)
            yield ReadResp(caught_up=ReadResp.CaughtUp())
            caught_up = True
        await grown.wait()


def _not_tombstoned(log: Log, stream: str) -> None:
    if log.is_tombstoned(stream.removeprefix("$$")):
        raise StreamDeleted(stream)


def _filter(options: Any) -> Matches:
    if options.WhichOneof("filter_option") != "filter":
        return lambda _: True
    by_stream = options.filter.WhichOneof("filter") == "stream_identifier"
    expression = options.filter.stream_identifier if by_stream else options.filter.event_type
    prefixes, regex = tuple(expression.prefix), re.compile(expression.regex)

    def matches(record: Record) -> bool:
        text = record.stream if by_stream else record.event.type
        return text.startswith(prefixes) if prefixes else regex.search(text) is not None

    return matches


def _confirmation() -> Any:
    return ReadResp(confirmation=ReadResp.SubscriptionConfirmation(subscription_id=str(uuid4())))


def _checkpoint(position: int) -> Any:
    return ReadResp(checkpoint=ReadResp.Checkpoint(commit_position=position, prepare_position=position))


def _event(record: Record) -> Any:
    """Reads of streams tell the log position, too (since version 22.10)."""
    recorded = ReadResp.ReadEvent.RecordedEvent(
        id=shared_pb2.UUID(string=record.event.id),
        stream_identifier=shared_pb2.StreamIdentifier(stream_name=record.stream.encode()),
        stream_revision=record.revision,
        prepare_position=record.position,
        commit_position=record.position,
        metadata={
            "type": record.event.type,
            "content-type": record.event.content_type,
            "created": str(record.created),
        },
        custom_metadata=record.event.metadata,
        data=record.event.data,
    )
    return ReadResp(event=ReadResp.ReadEvent(event=recorded, commit_position=record.position))
