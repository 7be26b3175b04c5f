"""Who asks, and what belongs together: the context that travels with every message."""

import itertools
import re
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

import uuid_utils

_SAFE_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,128}")
TRACEPARENT: Final = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
"""Trace id, id of the parent span, flags (W3C Trace Context, 3.2.2)."""


@dataclass(slots=True)
class Reply:
    """What a message wants to tell its sender beside the result; over HTTP these become headers.

    `result` is what a command's handler has answered, for those who write it down with what was changed. `sent`
    numbers the commands that the message sends, so that each of them has an id of its own.
    """

    location: str | None = None
    etag: str | None = None
    event_position: int | None = None
    read_model_position: int | None = None
    result: object = None
    sent: Iterator[int] = field(default_factory=itertools.count)


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, and what they may. `claims`: what else the issuer says of them.

    An `id` of this service's own parts begins with `system:`, which nobody from the outside can have.
    """

    id: str = "anonymous"
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    claims: Mapping[str, Any] = field(default_factory=dict[str, Any], hash=False)

    @staticmethod
    def system(name: str) -> "Principal":
        """A part of the service, which acts by itself."""
        return Principal(f"system:{name}")


_NOBODY: Final = Principal()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestContext:
    """The circumstances of one request, job or event. Immutable, but for the `reply` that it collects, and for the
    `principal`, whom the guard of a request names before anything else of a service sees it.

    Attributes:
        correlation_id: shared by all that follows from one request of the outside.
        causation_id: the id of the message that directly caused this one.
        traceparent: the W3C Trace Context that this belongs to (Level 1, section 3.2).
        principal: on whose behalf this runs.
        command_id: names a command that may come twice; every try of it carries the same one.
        since: a log position from before the first try of the command, noted durably before that.
        idempotency_key: of the request of the outside, its method and path included. The command that it asks for gets
            its id from that; see `neuroglia.idempotency`.
        expected_versions: the aggregate that is saved shall be at one of these versions (If-Match); None: at any.
        wait_for_position: a query shall first wait until its read model has passed this log position.
    """

    correlation_id: str
    causation_id: str | None = None
    traceparent: str | None = None
    principal: Principal = _NOBODY
    command_id: str | None = None
    since: int | None = None
    idempotency_key: str | None = None
    expected_versions: frozenset[int] | None = None
    wait_for_position: int | None = None
    reply: Reply = field(default_factory=Reply, compare=False)

    @staticmethod
    def new(correlation_id: str | None = None, *, traceparent: str | None = None) -> "RequestContext":
        """A context for a request of the outside. An id that could forge a log line or header is replaced."""
        known = correlation_id if correlation_id and _SAFE_ID.fullmatch(correlation_id) else str(uuid_utils.uuid7())
        trace = traceparent if traceparent and TRACEPARENT.fullmatch(traceparent) else None
        return RequestContext(correlation_id=known, traceparent=trace)

    def admit(self, principal: Principal) -> None:
        """From here on this is who asks. In place, for every request pays it: a second context costs far more."""
        object.__setattr__(self, "principal", principal)


_current: ContextVar[RequestContext | None] = ContextVar("neuroglia_request_context", default=None)


def current_context() -> RequestContext:
    """The context that this task runs in; a new one where nobody set any (scripts, tests)."""
    return _current.get() or RequestContext.new()


def ambient_context() -> RequestContext | None:
    """The context of this task, if there is one. For logging."""
    return _current.get()


def switch_context(context: RequestContext) -> None:
    """From here on this is the context, until a block of `use_context` ends. For loops over messages."""
    _current.set(context)


class use_context:  # noqa: N801 - it reads as a call; a generator would cost each request more than all else here
    """Runs a block in this context."""

    def __init__(self, context: RequestContext) -> None:
        self._context = context

    def __enter__(self) -> RequestContext:
        self._token = _current.set(self._context)
        return self._context

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)
