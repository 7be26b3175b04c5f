"""The one middleware: gives each request its context, answers the unforeseen, and writes the access log."""

import logging
import re
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from neuroglia.core.context import Reply, RequestContext, use_context
from neuroglia.core.ids import derived_id
from neuroglia.mvc.guarded import MALFORMED
from neuroglia.mvc.problems import unexpected_problem
from neuroglia.observability import OFF, Tracing
from neuroglia.security import protections

_log: Final = logging.getLogger("neuroglia.http")
_READ: Final = {b"x-correlation-id", b"x-wait-for-position", b"traceparent", b"if-match", b"idempotency-key"}
_CHANGING: Final = {"POST", "PUT", "PATCH", "DELETE"}
_POSITION: Final = re.compile(r"[0-9]{1,19}")
_KEY: Final = re.compile(r"[ -~]{1,255}")
_STRONG_VERSION: Final = re.compile(r'(?<!W/)"([0-9]{1,18})"')


class RequestMiddleware:
    """Reads the headers that make up the context, and turns what the message replied into headers."""

    def __init__(self, app: ASGIApp, service: str, max_body_bytes: int, tracing: Tracing = OFF) -> None:
        self._app, self._service, self._max_body_bytes, self._tracing = app, service, max_body_bytes, tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers: dict[bytes, str] = {}
        for name, value in scope["headers"]:
            if name in _READ:  # one that is sent twice has two lines: only If-Match, a list, can be read then
                headers[name] = (f"{headers[name]}\n" if name in headers else "") + value.decode("latin-1")
        trace = self._tracing.entering(headers.get(b"traceparent"))
        context = RequestContext.new(headers.get(b"x-correlation-id"), traceparent=trace)
        context = _with_conditions(context, scope, headers) if headers else context  # most requests have none
        own = b"x-correlation-id", context.correlation_id.encode()
        status = 0  # until the response has started

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                told = [*message["headers"], own, *_told(context.reply)]
                message["headers"] = told + protections(told)
            await send(message)

        start = time.perf_counter()
        with use_context(context):
            try:
                await self._app(scope, self._limited(receive), send_with_headers)
            except Exception as error:  # the last place that can answer
                _log.error("request failed", exc_info=error)
                if status:
                    raise
                await unexpected_problem(self._service)(scope, receive, send_with_headers)
            finally:
                level = logging.DEBUG if scope["path"].startswith("/health/") else logging.INFO  # probes are noise
                if _log.isEnabledFor(level):
                    elapsed = round((time.perf_counter() - start) * 1000, 3)
                    _log.log(level, "request", extra={
                        "method": scope["method"], "path": scope["path"], "status": status, "duration_ms": elapsed
                    })  # fmt: skip

    def _limited(self, receive: Receive) -> Receive:
        """Ends the reading of a body that is too large, however its length was announced. (FastAPI's `max_body_size`
        would answer so before it is known who asks, and in plain text.)"""
        read = 0

        async def receive_limited() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._max_body_bytes:
                raise HTTPException(413, f"A body has at most {self._max_body_bytes} bytes.")
            return message

        return receive_limited


def _with_conditions(context: RequestContext, scope: Scope, headers: Mapping[bytes, str]) -> RequestContext:
    """The circumstances, and what else the request says of itself; if that is malformed, the scope says so."""
    position = headers.get(b"x-wait-for-position")
    key = headers.get(b"idempotency-key") if scope["method"] in _CHANGING else None
    if position is not None and not _POSITION.fullmatch(position):
        scope[MALFORMED], position = "X-Wait-For-Position is one position, a number.", None
    if key is not None and not _KEY.fullmatch(key):
        scope[MALFORMED], key = "Send one Idempotency-Key, of 1 to 255 printable ASCII characters.", None
    if_match = headers.get(b"if-match", "*")
    if '"' not in if_match and if_match.strip() not in {"", "*"}:
        scope[MALFORMED] = f'If-Match holds an ETag as it was sent, with its quotes: "{if_match[:40]}"'
    return replace(
        context, wait_for_position=int(position) if position else None,
        expected_versions=_versions(if_match),
        idempotency_key=derived_id(scope["method"], scope["path"], key) if key else None,
    )  # fmt: skip


def _versions(if_match: str) -> frozenset[int] | None:
    """The versions that If-Match allows (RFC 9110, section 13.1.1): weak or foreign tags match nothing."""
    return None if if_match.strip() == "*" else frozenset(map(int, _STRONG_VERSION.findall(if_match)))


def _told(reply: Reply) -> list[tuple[bytes, bytes]]:
    told = (
        (b"location", reply.location),
        (b"etag", reply.etag and f'"{reply.etag}"'),
        (b"x-event-position", reply.event_position),
        (b"x-read-model-position", reply.read_model_position),
    )
    return [(name, str(value).encode()) for name, value in told if value is not None]
