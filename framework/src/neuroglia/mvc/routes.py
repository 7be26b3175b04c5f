"""The decorators that make a controller's method an endpoint."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Concatenate, Final, TypeVar

M = TypeVar("M", bound=Callable[Concatenate[Any, ...], Awaitable[Any] | AsyncIterator[Any]])
MARK: Final = "__endpoint__"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a decorator says of its method. `options` go to FastAPI's `add_api_route` as they are."""

    method: str
    path: str
    status_code: int
    scopes: Sequence[str]
    location: str | None
    etag: str | None
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verb:
    """Makes a method the answer to one HTTP method."""

    method: str
    status_code: int = 200

    def __call__(
        self,
        path: str = "",
        *,
        scopes: Sequence[str] = (),
        status_code: int | None = None,
        location: str | None = None,
        etag: str | None = None,
        **options: Any,
    ) -> Callable[[M], M]:
        """The decorator.

        Args:
            path: below the controller's prefix.
            scopes: the caller needs one of these; an endpoint without any stops the start.
            status_code: of the answer; 200, and 204 for DELETE, unless it says otherwise.
            location: what was created, below the controller's prefix, with attributes of the result: `/{id}`.
            etag: the attribute of the result that becomes the ETag, for If-Match: its version.
            options: what FastAPI's `add_api_route` takes besides.
        """
        endpoint = Endpoint(self.method, path, status_code or self.status_code, scopes, location, etag, options)

        def decorate(method: M) -> M:
            setattr(method, MARK, endpoint)
            return method

        return decorate


get: Final = Verb("GET")
post: Final = Verb("POST")
put: Final = Verb("PUT")
patch: Final = Verb("PATCH")
delete: Final = Verb("DELETE", 204)
