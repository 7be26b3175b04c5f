"""The gRPC services: requests into decisions, decisions into answers, refusals into statuses with their trailers."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final, Never

import grpc
from esdbclient.protos.Grpc import (
    code_pb2,
    gossip_pb2,
    gossip_pb2_grpc,
    shared_pb2,
    status_pb2,
    streams_pb2,
    streams_pb2_grpc,
)
from google.protobuf import any_pb2, empty_pb2

from tests.support.eventstoredb import reading
from tests.support.eventstoredb.faults import Faults
from tests.support.eventstoredb.log import Log, Proposed
from tests.support.eventstoredb.writing import (
    ANY,
    EXISTS,
    NO_STREAM,
    MaximumAppendSizeExceeded,
    StreamDeleted,
    Writer,
    WrongExpectedVersion,
)

Pb: Any = streams_pb2
Refused = (StreamDeleted, WrongExpectedVersion, MaximumAppendSizeExceeded, reading.InvalidPosition)
_NAMES: Final = {"no_stream": NO_STREAM, "any": ANY, "stream_exists": EXISTS}


class Streams(streams_pb2_grpc.StreamsServicer):
    """Appends, reads and deletes."""

    def __init__(self, log: Log, writer: Writer, faults: Faults) -> None:
        self._log = log
        self._writer = writer
        self._faults = faults

    async def Append(self, requests: AsyncIterator[Any], context: Any) -> Any:  # noqa: N802
        """One message of options, then one for each event. A wrong version is an answer, all else a status."""
        await self._faults.before(context)
        options: Any = None
        events: list[Proposed] = []
        async for request in requests:
            if request.WhichOneof("content") == "options":
                options = request.options
            else:
                events.append(await _proposed(request.proposed_message, context))
        stream, expected = _stream(options), _expected(options, "expected_stream_revision", options.revision)
        try:
            written = self._writer.append(stream, expected, events)
        except WrongExpectedVersion as wrong:
            return Pb.AppendResp(wrong_expected_version=_wrong_version(wrong))
        except Refused as refusal:
            await _abort(context, refusal)
        await self._faults.answered(context)
        position = {"no_position": shared_pb2.Empty()}
        if written.position is not None:
            position = {"position": Pb.AppendResp.Position(**_both(written.position))}
        revision = (
            {"current_revision": written.revision} if written.revision >= 0 else {"no_stream": shared_pb2.Empty()}
        )
        return Pb.AppendResp(success=Pb.AppendResp.Success(**revision, **position))

    async def BatchAppend(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:  # noqa: N802
        """Appends that may come in pieces and are told apart by their correlation id. Refusals are answers, too."""
        await self._faults.before(context)
        options: dict[str, Any] = {}
        pieces: dict[str, list[Proposed]] = {}
        async for request in requests:
            key = request.correlation_id.SerializeToString()
            if request.HasField("options"):
                options[key] = request.options
            events = pieces.setdefault(key, [])
            events += [await _proposed(message, context) for message in request.proposed_messages]
            if request.is_final:
                asked = options.pop(key)
                expected = _expected(asked, "expected_stream_position", asked.stream_position)
                result = self._batch_result(_stream(asked), expected, pieces.pop(key))
                if "success" in result:
                    await self._faults.answered(context)
                yield Pb.BatchAppendResp(
                    correlation_id=request.correlation_id, stream_identifier=asked.stream_identifier, **result
                )

    def _batch_result(self, stream: str, expected: int, events: Sequence[Proposed]) -> Mapping[str, Any]:
        try:
            written = self._writer.append(stream, expected, events)
        except Refused as refusal:
            return {"error": _batch_error(refusal)}
        position = {"no_position": empty_pb2.Empty()}
        if written.position is not None:
            position = {"position": shared_pb2.AllStreamPosition(**_both(written.position))}
        revision = {"current_revision": written.revision} if written.revision >= 0 else {"no_stream": empty_pb2.Empty()}
        return {"success": Pb.BatchAppendResp.Success(**revision, **position)}

    async def Read(self, request: Any, context: Any) -> None:  # noqa: N802
        """Reads and subscriptions, of one stream or of all."""
        await self._faults.before(context)
        await self._faults.droppable(context, self._send(request.options, context))

    async def _send(self, options: Any, context: Any) -> None:
        try:
            page = options.HasField("all") and options.HasField("count")
            if page and options.read_direction == Pb.ReadReq.Options.Forwards:
                await self._faults.dig()
            async for answer in reading.answers(self._log, options):
                if self._faults.is_old and answer.HasField("event"):
                    answer.event.no_position.SetInParent()
                await context.write(answer)
        except Refused as refusal:
            await _abort(context, refusal)

    async def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The soft one."""
        position = await self._end(self._writer.delete, request.options, context)
        return Pb.DeleteResp(position=Pb.DeleteResp.Position(**_both(position)))

    async def Tombstone(self, request: Any, context: Any) -> Any:  # noqa: N802
        """The hard one."""
        position = await self._end(self._writer.tombstone, request.options, context)
        return Pb.TombstoneResp(position=Pb.TombstoneResp.Position(**_both(position)))

    async def _end(self, end: Any, options: Any, context: Any) -> int:
        await self._faults.before(context)
        try:
            return end(_stream(options), _expected(options, "expected_stream_revision", options.revision))
        except Refused as refusal:
            await _abort(context, refusal)


class Gossip(gossip_pb2_grpc.GossipServicer):
    """A cluster of one node, which leads it."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def Read(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Who is there."""
        info: Any = gossip_pb2.MemberInfo
        member = info(
            state=info.VNodeState.Leader,
            is_alive=True,
            http_end_point=gossip_pb2.EndPoint(address="127.0.0.1", port=self._port),
        )
        return gossip_pb2.ClusterInfo(members=[member])


def server_features() -> grpc.GenericRpcHandler:
    """ServerFeatures.GetSupportedMethods, which the Python client does not ship: its answer is put together by hand.

    It tells a version (field 2) and one method with its features (field 1) of those that clients ask for.
    """

    def text(field: int, value: str) -> bytes:
        return bytes([field << 3 | 2, len(value)]) + value.encode()

    methods = b""
    for name, features in [("batchappend", ["deadline_duration"]), ("read", []), ("append", [])]:
        method = text(1, name) + text(2, "event_store.client.streams.streams") + b"".join(text(3, f) for f in features)
        methods += bytes([1 << 3 | 2, len(method)]) + method
    answer = methods + text(2, "24.10.0")

    async def supported(request: bytes, context: Any) -> bytes:
        return answer

    return grpc.method_handlers_generic_handler(
        "event_store.client.server_features.ServerFeatures",
        {"GetSupportedMethods": grpc.unary_unary_rpc_method_handler(supported)},
    )


def _stream(options: Any) -> str:
    return options.stream_identifier.stream_name.decode()


def _expected(options: Any, field: str, revision: int) -> int:
    return _NAMES.get(options.WhichOneof(field), revision)


def _both(position: int) -> dict[str, int]:
    return {"commit_position": position, "prepare_position": position}


async def _proposed(message: Any, context: Any) -> Proposed:
    for required in ("type", "content-type"):
        if required not in message.metadata:
            trailers = {"exception": "missing-required-metadata-property", "required-metadata-properties": required}
            details = f"Required Metadata Property '{required}' is missing."
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, details, tuple(trailers.items()))
    metadata = message.metadata
    return Proposed(
        message.id.string, metadata["type"], message.data, message.custom_metadata, metadata["content-type"]
    )


def _wrong_version(wrong: WrongExpectedVersion) -> Any:
    actual = {"current_revision": wrong.actual} if wrong.actual >= 0 else {"current_no_stream": shared_pb2.Empty()}
    expected = {
        NO_STREAM: {"expected_no_stream": shared_pb2.Empty()},
        ANY: {"expected_any": shared_pb2.Empty()},
        EXISTS: {"expected_stream_exists": shared_pb2.Empty()},
    }.get(wrong.expected, {"expected_revision": wrong.expected})
    return Pb.AppendResp.WrongExpectedVersion(**actual, **expected)


def _batch_error(refusal: Exception) -> Any:
    code: Any = code_pb2.FAILED_PRECONDITION
    match refusal:
        case WrongExpectedVersion(actual=actual, expected=expected):
            now = {"current_stream_revision": actual} if actual >= 0 else {"current_no_stream": empty_pb2.Empty()}
            asked = {
                NO_STREAM: {"expected_no_stream": empty_pb2.Empty()},
                ANY: {"expected_any": empty_pb2.Empty()},
                EXISTS: {"expected_stream_exists": empty_pb2.Empty()},
            }.get(expected, {"expected_stream_position": expected})
            details: Any = shared_pb2.WrongExpectedVersion(**now, **asked)
        case StreamDeleted(stream=stream):
            identifier = shared_pb2.StreamIdentifier(stream_name=stream.encode())
            details = shared_pb2.StreamDeleted(stream_identifier=identifier)
        case MaximumAppendSizeExceeded(most=most):
            code, details = code_pb2.INVALID_ARGUMENT, shared_pb2.MaximumAppendSizeExceeded(maxAppendSize=most)
        case _:
            raise refusal
    packed = any_pb2.Any()
    packed.Pack(details)
    return status_pb2.Status(code=code, message=type(refusal).__name__, details=packed)


async def _abort(context: Any, refusal: Exception) -> Never:
    """Python clients look at status and details, the others at the trailers."""
    status, details, trailers = grpc.StatusCode.FAILED_PRECONDITION, str(refusal), {}
    match refusal:
        case StreamDeleted(stream=stream):
            trailers = {"exception": "stream-deleted", "stream-name": stream}
        case WrongExpectedVersion(stream=stream, expected=expected, actual=actual):
            details = (
                f"Delete failed due to WrongExpectedVersion. Stream: {stream}, Expected version: {expected},"
                f" Actual version: {actual}"
            )
            trailers = {
                "exception": "wrong-expected-version",
                "stream-name": stream,
                "expected-version": str(expected),
                "actual-version": str(actual),
            }
        case MaximumAppendSizeExceeded(most=most):
            status = grpc.StatusCode.INVALID_ARGUMENT
            trailers = {"exception": "maximum-append-size-exceeded", "maximum-append-size": str(most)}
        case _:
            status = grpc.StatusCode.INVALID_ARGUMENT
    await context.abort(status, details, tuple(trailers.items()))
    raise AssertionError
