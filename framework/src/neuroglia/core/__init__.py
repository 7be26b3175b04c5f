"""What every other package stands on: errors, time, ids, the context of a request, finding classes."""

from neuroglia.core.clock import (
    Clock as Clock,
    SystemClock as SystemClock,
    format_utc as format_utc,
    parse_utc as parse_utc,
)
from neuroglia.core.context import (
    Principal as Principal,
    Reply as Reply,
    RequestContext as RequestContext,
    current_context as current_context,
    use_context as use_context,
)
from neuroglia.core.errors import (
    ApplicationError as ApplicationError,
    ConcurrencyError as ConcurrencyError,
    ConfigurationError as ConfigurationError,
    FieldError as FieldError,
    Forbidden as Forbidden,
    InvalidRequest as InvalidRequest,
    MalformedRequest as MalformedRequest,
    NotFoundError as NotFoundError,
    PreconditionFailed as PreconditionFailed,
    TooManyRequests as TooManyRequests,
    Unauthenticated as Unauthenticated,
    Unavailable as Unavailable,
)
from neuroglia.core.ids import CommandIds as CommandIds, Ids as Ids, SystemIds as SystemIds, derived_id as derived_id
from neuroglia.core.paging import DEFAULT_LIMIT as DEFAULT_LIMIT, MAX_LIMIT as MAX_LIMIT, Page as Page
