"""The user: who sits at the desktop."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

THE_USER: Final = "user"
"""Its id: there is one."""


@dataclass(slots=True, kw_only=True)
class DesktopUser:
    """Somebody, by name, and the session in which they are here. Kept in a file of the host, as the host is."""

    candidate_name: str
    session_id: str | None = None
    last_modified: datetime
    version: int = 0
