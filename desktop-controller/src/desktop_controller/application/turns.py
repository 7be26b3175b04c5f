"""Turns: so many commands have theirs at the same time, so many more may wait for it."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(eq=False, slots=True)
class Admission:
    """The place of a command that is being stored. Its `position` in the log is known when it is."""

    position: int | None = None


class Turns:
    """Counts a command from before it is stored until its end.

    A reaction hands over what was stored, a while later: until then an admission keeps the place. Hand-overs come in
    the order of the log, so one of them ends all admissions up to there: also that of a repeat, whose event has come
    long before.
    """

    def __init__(self, running: int, waiting: int) -> None:
        self.semaphore = asyncio.Semaphore(running)
        self._room = running + waiting
        self._in_hand = 0
        self._admitted: set[Admission] = set()
        self._handed_over = -1

    @property
    def is_full(self) -> bool:
        """Whether there is no place for one more."""
        return self._in_hand + len(self._admitted) >= self._room

    @contextmanager
    def admit(self) -> Generator[Admission]:
        """Keeps a place while a command is stored; and until it is handed over, if that has succeeded."""
        admission = Admission()
        self._admitted.add(admission)
        try:
            yield admission
        finally:
            if admission.position is None or admission.position <= self._handed_over:
                self._admitted.discard(admission)

    def handed_over(self, position: int) -> None:
        """All up to there are in hand, or have been."""
        self._handed_over = max(self._handed_over, position)
        self._admitted -= {one for one in self._admitted if one.position is not None and one.position <= position}

    def enter(self) -> None:
        """One more is in hand."""
        self._in_hand += 1

    def leave(self) -> None:
        """It has ended."""
        self._in_hand -= 1
