"""Logs: JSON lines on stdout, each with the ids of the request and the trace that it belongs to."""

import logging
import sys
import traceback
from types import TracebackType
from typing import Final, cast

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter
from typing_extensions import override

from neuroglia.core.context import TRACEPARENT, ambient_context

_FRAMES: Final = 8
ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def configure_logging(level: str) -> None:
    """Sends the logs of this process to stdout. Called by the program, never by a library or at import."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        _Formatter(
            "%(asctime)s %(levelname)s %(name)s %(message)s",
            rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            reserved_attrs=[*RESERVED_ATTRS, "color_message"],  # uvicorn's, for terminals
            datefmt="%Y-%m-%dT%H:%M:%S%z",
        )
    )
    handler.addFilter(_add_ids)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells each request's URL, which may hold a password
    logging.getLogger("apscheduler").setLevel(logging.WARNING)  # it tells whenever it looks at the clock


def _add_ids(record: logging.LogRecord) -> bool:
    if (context := ambient_context()) is not None:
        record.correlation_id = context.correlation_id
        if trace := TRACEPARENT.fullmatch(context.traceparent or ""):
            record.trace_id, record.span_id, record.trace_flags = trace.groups()
    return True


class _Formatter(JsonFormatter):
    @override
    def formatException(self, ei: ExcInfo) -> str:
        """Types and places of the whole chain, not the messages: these may quote personal data."""
        lines: list[str] = []
        told: list[BaseException] = [] if ei[1] is None else [ei[1]]
        for error in told:  # which grows meanwhile
            frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
            lines.append(f"{type(error).__qualname__}: " + " < ".join(
                f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in reversed(frames)
            ))  # fmt: skip
            if isinstance(error, BaseExceptionGroup):  # which says nothing by itself
                told += cast("BaseExceptionGroup[BaseException]", error).exceptions
            told += filter(None, [error.__cause__ or (None if error.__suppress_context__ else error.__context__)])
        return "\n".join(lines)
