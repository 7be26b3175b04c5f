"""What is shown of the audit trail."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel


class StoredEventDto(BaseModel):
    """An event as it was recorded."""

    id: str
    type: str
    revision: int
    recorded_at: datetime
    actor: str
    correlation_id: str
    causation_id: str | None
    data: dict[str, Any]
