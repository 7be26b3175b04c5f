"""A clock and ids that do what a test says."""

from datetime import UTC, datetime, timedelta

from typing_extensions import override

from neuroglia.core import Clock, Ids


class FixedClock(Clock):
    """Stands still until it is told to go on."""

    def __init__(self, now: datetime = datetime(2025, 1, 31, 9, 30, tzinfo=UTC)) -> None:
        self._now = now

    @override
    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> None:
        """Moves the time; a negative step sets the clock back."""
        self._now += by


class SequentialIds(Ids):
    """Gives `id-1`, `id-2` and so on."""

    def __init__(self, prefix: str = "id") -> None:
        self._prefix = prefix
        self._count = 0

    @override
    def new(self) -> str:
        self._count += 1
        return f"{self._prefix}-{self._count}"
