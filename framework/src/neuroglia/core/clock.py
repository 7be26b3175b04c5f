"""Time comes from one place, so that a test can set it."""

from abc import ABC, abstractmethod
from datetime import UTC, datetime

from typing_extensions import override


class Clock(ABC):
    """Tells the time. Handlers get it by injection and hand moments to aggregates as values."""

    @abstractmethod
    def now(self) -> datetime:
        """The present moment, timezone-aware, in UTC."""


class SystemClock(Clock):
    """The machine's clock."""

    @override
    def now(self) -> datetime:
        return datetime.now(UTC)


def in_utc(moment: datetime) -> datetime:
    """The same moment in UTC.

    Raises:
        ValueError: the moment is naive, so that nobody can say which instant it means; or its year, in UTC, is
            not one of 1 to 9999.
    """
    if moment.utcoffset() is None:
        raise ValueError("a naive datetime names no instant; use timezone-aware UTC")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("in UTC, this moment lies outside the years 1 to 9999") from None


def format_utc(moment: datetime) -> str:
    """`2025-01-31T09:30:00.123456Z`: always 27 characters, so that text order is time order.

    Raises:
        ValueError: as `in_utc`.
    """
    utc = moment if moment.tzinfo is UTC else in_utc(moment)  # it nearly always is
    return f"{utc.isoformat(timespec='microseconds')[:-6]}Z"


def parse_utc(text: str) -> datetime:
    """The moment that `format_utc` wrote."""
    return datetime.fromisoformat(text)
