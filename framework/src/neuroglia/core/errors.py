"""Errors of the application around the domain. `neuroglia.mvc.problems` holds the one table to HTTP statuses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class ConfigurationError(Exception):
    """The application is put together wrongly. Raised while it is built or started, never by a request."""


class ApplicationError(Exception):
    """A request that cannot be served, for a reason that its sender may know.

    `code` is stable and machine-readable; the message is sent to the caller and holds nothing secret.
    """

    code: ClassVar[str] = "error"

    @property
    def detail(self) -> str:
        """The sentence for people."""
        return str(self)


class NotFoundError(ApplicationError):
    """There is nothing with this id."""

    code: ClassVar[str] = "not-found"

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(f"There is no {kind} with this id.")
        self.kind, self.id = kind, id


class ConcurrencyError(ApplicationError):
    """Somebody else changed it first. `expected` and `actual` are revisions; -1 stands for "does not exist"."""

    code: ClassVar[str] = "concurrent-change"
    retry_after: ClassVar[float] = 1.0
    """Seconds after which a repeat makes sense."""

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        super().__init__("It was changed by somebody else at the same time. Read it again and repeat.")
        self.stream, self.expected, self.actual = stream, expected, actual


class PreconditionFailed(ApplicationError):
    """The caller asked for a change of a certain version (If-Match), and that is no longer the present one."""

    code: ClassVar[str] = "precondition-failed"


class MalformedRequest(ApplicationError):
    """The request cannot be read at all: broken JSON, a cursor of another list."""

    code: ClassVar[str] = "malformed-request"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One wrong value: where it stands (JSON Pointer, RFC 6901), a code, and a sentence."""

    pointer: str
    code: str
    detail: str


class InvalidRequest(ApplicationError):
    """The request can be read, but values in it are not allowed."""

    code: ClassVar[str] = "invalid-request"

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("Some values are not valid.")
        self.errors = tuple(errors)


class Unauthenticated(ApplicationError):
    """No credentials, or none that can be believed."""

    code: ClassVar[str] = "unauthenticated"


class Forbidden(ApplicationError):
    """The caller is known and may not do this."""

    code: ClassVar[str] = "forbidden"


class TooManyRequests(ApplicationError):
    """The caller asks more often than allowed."""

    code: ClassVar[str] = "too-many-requests"

    def __init__(self, detail: str, *, retry_after: float) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        """Seconds after which a repeat makes sense."""


class Unavailable(ApplicationError):
    """A backing service that is needed does not answer."""

    code: ClassVar[str] = "unavailable"

    def __init__(self, detail: str, *, retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = 1.0 if retry_after is None else retry_after
        """Seconds after which a repeat makes sense."""
        self.asked = retry_after or 0.0
        """Seconds for which the service itself wants to be left alone."""
