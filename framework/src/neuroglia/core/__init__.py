"""What every other package stands on: errors, time, ids, the context of a request, finding classes."""

from neuroglia.core.clock import Clock, SystemClock, format_utc, parse_utc
from neuroglia.core.context import Reply, RequestContext, current_context, use_context
from neuroglia.core.errors import (
    ApplicationError,
    ConcurrencyError,
    ConfigurationError,
    FieldError,
    Forbidden,
    InvalidRequest,
    MalformedRequest,
    NotFoundError,
    PreconditionFailed,
    TooManyRequests,
    Unauthenticated,
    Unavailable,
)
from neuroglia.core.ids import CommandIds, Ids, SystemIds, derived_id
from neuroglia.core.paging import DEFAULT_LIMIT, MAX_LIMIT, Page

__all__ = [
    "DEFAULT_LIMIT",
    "MAX_LIMIT",
    "ApplicationError",
    "Clock",
    "CommandIds",
    "ConcurrencyError",
    "ConfigurationError",
    "FieldError",
    "Forbidden",
    "Ids",
    "InvalidRequest",
    "MalformedRequest",
    "NotFoundError",
    "Page",
    "PreconditionFailed",
    "Reply",
    "RequestContext",
    "SystemClock",
    "SystemIds",
    "TooManyRequests",
    "Unauthenticated",
    "Unavailable",
    "current_context",
    "derived_id",
    "format_utc",
    "parse_utc",
    "use_context",
]
