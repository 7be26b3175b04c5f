"""Errors on the wire: RFC 9457 problem details. Holds the one table from error classes to HTTP statuses."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Scope

from neuroglia.core.context import current_context
from neuroglia.core.errors import (
    ApplicationError,
    ConcurrencyError,
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
from neuroglia.core.validation import field_errors
from neuroglia.domain import DomainError, RuleViolation, StateConflict

_log: Final = logging.getLogger("neuroglia.http")

STATUS: Final[Mapping[type[Exception], int]] = {
    MalformedRequest: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    NotFoundError: 404,
    ConcurrencyError: 409,
    StateConflict: 409,
    PreconditionFailed: 412,
    InvalidRequest: 422,
    RuleViolation: 422,
    DomainError: 422,
    TooManyRequests: 429,
    Unavailable: 503,
    ApplicationError: 500,
}
_CODES: Final = {400: "malformed-request", 413: "too-large", 422: "invalid-request", 500: "internal-error"}
"""Where it is not the status's own phrase."""


class ProblemError(BaseModel):
    """One wrong value of a request."""

    pointer: str
    code: str
    detail: str


class Problem(BaseModel):
    """An error (RFC 9457). `type` is stable and for programs, `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    correlation_id: str
    errors: list[ProblemError] | None = None


_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_CONTENT: Final = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
PROBLEM_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"description": "The request is refused.", "content": _CONTENT},
    "5XX": {"description": "The service failed.", "content": _CONTENT},
}
"""What every endpoint may answer beside its result, for OpenAPI."""


def status_of(error: Exception) -> int:
    """The HTTP status of an error: that of its nearest class in the table."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def install_problem_handlers(app: FastAPI, service: str) -> None:
    """Makes every error of an application a problem, those of FastAPI and Starlette included."""

    @app.exception_handler(DomainError)
    @app.exception_handler(ApplicationError)
    async def refused(_: Request, error: DomainError | ApplicationError) -> Response:
        status = status_of(error)
        retry_after = getattr(error, "retry_after", None)
        headers = {"retry-after": str(max(1, round(retry_after)))} if retry_after is not None else {}
        if challenge := getattr(error, "challenge", "Bearer" if status == 401 else None):
            headers["www-authenticate"] = challenge
        if status >= 500:
            _log.error("request failed", exc_info=error)
        errors = error.errors if isinstance(error, InvalidRequest) else None
        return problem_response(service, status, error.code, error.detail, errors, headers)

    @app.exception_handler(RequestValidationError)
    async def unreadable(_: Request, error: RequestValidationError) -> Response:
        found = error.errors()
        is_empty = any(finding["type"] == "missing" and finding["loc"] == ("body",) for finding in found)
        detail = "A JSON body is needed." if is_empty else "Some values are not valid."
        body = field_errors([finding for finding in found if finding["loc"][0] == "body"], skip=1)
        rest = field_errors([finding for finding in found if finding["loc"][0] != "body"])
        return problem_response(service, 422, _CODES[422], detail, [*rest, *body])

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        status = error.status_code
        headers = {"allow": _allowed(app, request.scope)} if status == 405 else error.headers
        code = _CODES.get(status) or HTTPStatus(status).phrase.lower().replace(" ", "-")
        is_unknown = status == 404 and "endpoint" not in request.scope
        detail = f"Nothing is served at this path; {app.docs_url} shows what is." if is_unknown else str(error.detail)
        return problem_response(service, status, code, detail, headers=headers)


def _allowed(app: FastAPI, scope: Scope) -> str:
    """The methods of all routes with this path; Starlette itself names those of the first one."""

    def allows(method: str) -> bool:
        return any(route.matches({**scope, "method": method})[0] is Match.FULL for route in app.routes)

    return ", ".join(filter(allows, _METHODS))


def problem_response(
    service: str,
    status: int,
    code: str,
    detail: str,
    errors: Sequence[FieldError] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem as a response of `service`."""
    problem = Problem(
        type=f"urn:neuroglia:{service}:{code}",
        title=code.replace("-", " ").capitalize(),
        status=status,
        detail=detail,
        correlation_id=current_context().correlation_id,
        errors=None if errors is None else [ProblemError(**asdict(error)) for error in errors],
    )
    return Response(problem.model_dump_json(exclude_none=True), status, headers, "application/problem+json")


def unexpected_problem(service: str) -> Response:
    """The answer to a failure that nobody foresaw. It tells nothing but where to look in the logs."""
    detail = "Something went wrong on our side. Quote the correlation id when you report it."
    return problem_response(service, 500, _CODES[500], detail)
