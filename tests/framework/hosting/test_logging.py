"""Logs: one JSON object on each line, with the correlation id, and without what exceptions say."""

import json
import logging
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from neuroglia.core import RequestContext, use_context
from neuroglia.hosting.logging import configure_logging
from neuroglia.mvc import ControllerBase, get
from tests.framework.mvc.serving import serving

pytestmark = pytest.mark.usefixtures("restored")
SECRET = "Ada Lovelace, born 1990"
_log = logging.getLogger("a.logger")


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_line_tells_time_level_logger_message_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")

    _log.info("hello %s", "Ada", extra={"count": 3, "path": "/x"})

    (line,) = logged(capsys)
    assert datetime.strptime(line.pop("time"), "%Y-%m-%dT%H:%M:%S%z").tzinfo is not None
    assert line == {"level": "INFO", "logger": "a.logger", "message": "hello Ada", "count": 3, "path": "/x"}


def test_within_a_request_a_line_has_its_correlation_id(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")

    with use_context(RequestContext.new("c-1")):
        _log.info("inside")
        logging.getLogger("uvicorn.error").info("of a library")
    _log.info("outside")

    assert [line.get("correlation_id") for line in logged(capsys)] == ["c-1", "c-1", None]


@pytest.mark.parametrize(
    ("traceparent", "told"),
    [
        (f"00-{'a' * 32}-{'b' * 16}-01", {"trace_id": "a" * 32, "span_id": "b" * 16, "trace_flags": "01"}),
        ("00-of-a-stranger", {}),
        (None, {}),
    ],
)
def test_within_a_trace_a_line_has_its_ids(
    traceparent: str | None, told: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logging("INFO")

    with use_context(RequestContext(correlation_id="c-1", traceparent=traceparent)):
        _log.info("inside")

    (line,) = logged(capsys)
    assert {name: value for name, value in line.items() if name.startswith(("trace", "span"))} == told


@pytest.mark.parametrize(
    "text",
    ["two\nlines", 'quote " and \\', '{"level": "FORGED"}', "\x1b[31m", "é🦊\u2028\u2029", "\ud800", "\0", "\r\n\x85"],
)
def test_whatever_is_logged_is_one_line(capsys: pytest.CaptureFixture[str], text: str) -> None:
    configure_logging("INFO")

    _log.info(text, extra={"value": text})

    lines = capsys.readouterr().out.removesuffix("\n").split("\n")
    assert len(lines) == 1
    assert (json.loads(lines[0])["message"], json.loads(lines[0])["value"]) == (text, text)
    assert json.loads(lines[0])["level"] == "INFO"


@pytest.mark.parametrize(
    "value", [object(), b"\xff", {1, 2}, Decimal("1.5"), datetime.now(UTC), float("nan"), ValueError]
)
def test_any_value_can_be_a_field(capsys: pytest.CaptureFixture[str], value: object) -> None:
    configure_logging("INFO")

    _log.info("hello", extra={"value": value})

    (line,) = logged(capsys)
    assert "value" in line


def test_of_an_exception_types_and_places_are_told_but_not_the_messages(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")

    def inner() -> None:
        raise KeyError(SECRET)

    try:
        try:
            inner()
        except KeyError as cause:
            raise ValueError(SECRET) from cause
    except ValueError:
        _log.exception("it failed")

    (line,) = logged(capsys)
    assert SECRET not in str(line)
    assert (line["message"], line["level"]) == ("it failed", "ERROR")
    first, second = line["exc_info"].splitlines()
    assert first.startswith("ValueError: test_logging.py:")
    assert second.startswith("KeyError: test_logging.py:")
    assert "inner" in second


def test_of_an_exception_during_another_both_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")

    try:
        try:
            raise KeyError(SECRET)
        except KeyError:
            raise ValueError(SECRET)  # noqa: B904
    except ValueError as error:
        _log.error("it failed", exc_info=error)

    (line,) = logged(capsys)
    assert [part.partition(":")[0] for part in line["exc_info"].splitlines()] == ["ValueError", "KeyError"]
    assert SECRET not in str(line)


def test_of_a_group_of_exceptions_all_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO")

    try:
        raise ExceptionGroup(SECRET, [KeyError(SECRET), ExceptionGroup(SECRET, [OSError(SECRET)])]) from ValueError()
    except ExceptionGroup as error:
        _log.error("it failed", exc_info=error)

    (line,) = logged(capsys)
    told = [part.partition(":")[0] for part in line["exc_info"].splitlines()]
    assert told == ["ExceptionGroup", "KeyError", "ExceptionGroup", "ValueError", "OSError"]
    assert SECRET not in str(line)


async def test_a_failed_request_is_told_with_its_correlation_id(capsys: pytest.CaptureFixture[str]) -> None:
    class BrokenController(ControllerBase):
        @get(scopes=["r"])
        async def fail(self) -> None:
            raise ValueError(SECRET)

    configure_logging("INFO")
    async with serving(BrokenController) as http:
        capsys.readouterr()
        await http.get("/broken", headers={"X-Correlation-ID": "c-1"})

    failure, access = (line for line in logged(capsys) if line["logger"] == "neuroglia.http")
    assert (failure["level"], failure["message"], failure["correlation_id"]) == ("ERROR", "request failed", "c-1")
    assert failure["exc_info"].startswith("ValueError: test_logging.py:")
    assert SECRET not in str(failure)
    assert (access["message"], access["status"], access["correlation_id"]) == ("request", 500, "c-1")


def test_what_is_below_the_level_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("WARNING")

    _log.info("quiet")
    _log.warning("loud")

    assert [line["message"] for line in logged(capsys)] == ["loud"]


def test_configuring_twice_writes_each_line_once(capsys: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("uvicorn").addHandler(logging.StreamHandler())
    configure_logging("INFO")
    configure_logging("INFO")

    _log.info("once")
    logging.getLogger("uvicorn").info("once")

    assert len(logged(capsys)) == 2
