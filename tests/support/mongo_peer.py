"""Starts SecantusDB, by the Python that it is installed for.

It keeps the answers to ten thousand retryable writes, and looks through all of them at each write, which in
the end is most of what it does. A driver repeats a write at once, or not at all.
"""

from secantus import transactions  # type: ignore[import-not-found]
from secantus.cli import main  # type: ignore[import-not-found]

transactions._RETRYABLE_RECORD_MAX = 200
raise SystemExit(main())
