"""How it is stored what callers have used of their rates."""

from datetime import datetime

from pydantic import BaseModel

from neuroglia.documents import document


class Used(BaseModel):
    """So many requests between two moments (seconds since 1970)."""

    first: float
    last: float
    count: int


@document("rate_windows", indexes=["expires_at"])
class RateWindow(BaseModel):
    """What was used under one key of the limiter, the oldest first. After `expires_at` nobody needs it."""

    id: str
    used: list[Used] = []
    expires_at: datetime
