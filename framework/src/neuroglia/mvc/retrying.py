"""What another service says about when to come back."""

from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

_LONGEST_S: Final = 300.0


def retry_after(header: str, now: datetime) -> float | None:
    """Seconds or a date (RFC 9110, section 10.2.3) as seconds from now, within reason; None when it is neither."""
    try:
        seconds = float(header) if header.isdecimal() else (parsedate_to_datetime(header) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):  # no date, or one without its zone
        return None
    return min(max(seconds, 0.0), _LONGEST_S)
