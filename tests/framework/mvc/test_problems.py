"""Errors on the wire: RFC 9457, the right status, and nothing that the caller should not know."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable

import pytest
from fastapi import HTTPException
from fastapi.responses import StreamingResponse

from neuroglia.core import (
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
from neuroglia.domain import DomainError, RuleViolation, StateConflict
from neuroglia.mvc import ControllerBase, get
from neuroglia.mvc.problems import STATUS, status_of
from tests.framework.mvc.serving import serving

SECRET = "the pin is 1234"


class TooLate(RuleViolation):
    code = "too-late"


class Locked(StateConflict):
    code = "locked"


class VeryLocked(Locked):
    """Inherits its code and its status."""


class Unheard(ApplicationError):
    """Somebody's own error, of which the table knows only the base."""


class FailuresController(ControllerBase):
    failure: Callable[[], BaseException] = Exception

    @get(scopes=["r"])
    async def fail(self) -> None:
        raise type(self).failure()


def failing(failure: Callable[[], BaseException]) -> type[FailuresController]:
    return type("FailuresController", (FailuresController,), {"failure": staticmethod(failure)})


@pytest.mark.parametrize(
    ("failure", "status", "code", "headers"),
    [
        (lambda: MalformedRequest("no"), 400, "malformed-request", {}),
        (lambda: Unauthenticated("no"), 401, "unauthenticated", {"www-authenticate": "Bearer"}),
        (lambda: Forbidden("no"), 403, "forbidden", {}),
        (lambda: NotFoundError("thing", "7"), 404, "not-found", {}),
        (lambda: ConcurrencyError("thing-7", 1, 2), 409, "concurrent-change", {"retry-after": "1"}),
        (lambda: StateConflict("no"), 409, "state-conflict", {}),
        (lambda: Locked("no"), 409, "locked", {}),
        (lambda: VeryLocked("no"), 409, "locked", {}),
        (lambda: PreconditionFailed("no"), 412, "precondition-failed", {}),
        (lambda: InvalidRequest([]), 422, "invalid-request", {}),
        (lambda: RuleViolation("no"), 422, "rule-violation", {}),
        (lambda: TooLate("no"), 422, "too-late", {}),
        (lambda: DomainError("no"), 422, "domain-error", {}),
        (lambda: TooManyRequests("no", retry_after=2.4), 429, "too-many-requests", {"retry-after": "2"}),
        (lambda: Unavailable("no", retry_after=0.01), 503, "unavailable", {"retry-after": "1"}),
        (lambda: Unheard("no"), 500, "error", {}),
        (lambda: HTTPException(410, "no", {"X-Since": "1"}), 410, "gone", {"x-since": "1"}),
        (lambda: HTTPException(404), 404, "not-found", {}),
    ],
)
async def test_every_error_has_its_status_code_and_headers(
    failure: Callable[[], BaseException], status: int, code: str, headers: dict[str, str]
) -> None:
    async with serving(failing(failure)) as http:
        answer = await http.get("/failures", headers={"X-Correlation-ID": "c-1"})

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert headers.items() <= dict(answer.headers).items()
    problem = answer.json()
    assert set(problem) - {"errors"} == {"type", "title", "status", "detail", "correlation_id"}
    assert problem["type"] == f"urn:neuroglia:service:{code}"
    assert problem["title"]
    assert problem["detail"]
    assert (problem["status"], problem["correlation_id"]) == (status, "c-1")
    assert answer.headers["x-correlation-id"] == "c-1"


async def test_given_a_path_that_nobody_serves_when_asked_then_where_to_look_is_told() -> None:
    async with serving(failing(lambda: HTTPException(404, "no"))) as http:
        unknown, own = await http.get("/nothing"), await http.get("/failures")

    assert unknown.json()["detail"] == "Nothing is served at this path; /api/docs shows what is."
    assert own.json()["detail"] == "no"


def test_every_error_of_the_framework_is_in_the_table() -> None:
    for kind in (*ApplicationError.__subclasses__(), *DomainError.__subclasses__()):
        if kind.__module__.startswith("neuroglia") and not kind.__name__.startswith("_"):
            assert kind in STATUS
    assert status_of(ValueError()) == 500


async def test_wrong_values_are_named_one_by_one() -> None:
    errors = [FieldError("/a~1b", "too-short", "write more"), FieldError("", "odd", "very odd")]

    async with serving(failing(lambda: InvalidRequest(errors))) as http:
        answer = await http.get("/failures")

    assert answer.json()["errors"] == [
        {"pointer": "/a~1b", "code": "too-short", "detail": "write more"},
        {"pointer": "", "code": "odd", "detail": "very odd"},
    ]


@pytest.mark.parametrize(
    "failure",
    [
        lambda: ValueError(SECRET),
        lambda: KeyError(SECRET),
        lambda: AssertionError(SECRET),
        lambda: TimeoutError(SECRET),
        lambda: RecursionError(SECRET),
        lambda: ExceptionGroup(SECRET, [ValueError(SECRET)]),
    ],
)
async def test_what_nobody_foresaw_is_told_without_its_text(
    failure: Callable[[], BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        async with serving(failing(failure)) as http:
            answer = await http.get("/failures", headers={"X-Correlation-ID": "c-2"})

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "urn:neuroglia:service:internal-error",
        "title": "Internal error",
        "status": 500,
        "detail": "Something went wrong on our side. Quote the correlation id when you report it.",
        "correlation_id": "c-2",
    }
    assert SECRET not in str(answer.headers)
    (record,) = caplog.records
    assert record.exc_info is not None  # the formatter leaves the text out: see the tests of logging


async def test_refusals_are_no_errors_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        async with serving(failing(lambda: Locked("no"))) as http:
            await http.get("/failures")

    assert caplog.records == []


async def test_faults_of_the_service_are_errors_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        async with serving(failing(lambda: Unavailable("the store is down"))) as http:
            await http.get("/failures")

    assert [record.getMessage() for record in caplog.records] == ["request failed"]


async def test_an_error_in_the_middle_of_a_response_ends_it_and_adds_nothing() -> None:
    class StreamsController(ControllerBase):
        @get(scopes=["r"], response_class=StreamingResponse)
        async def stream(self) -> StreamingResponse:
            async def parts() -> AsyncIterator[bytes]:
                yield b"begun"
                raise ValueError(SECRET)

            return StreamingResponse(parts(), media_type="text/plain")

    async with serving(StreamsController) as http:
        answer = await http.get("/streams")

    assert (answer.status_code, answer.text) == (200, "begun")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


async def test_a_cancelled_request_is_no_failure_of_the_service(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        async with serving(failing(asyncio.CancelledError)) as http:
            with pytest.raises(asyncio.CancelledError):
                await http.get("/failures")

    assert caplog.records == []
