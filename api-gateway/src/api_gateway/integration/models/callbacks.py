"""What callers are called back with."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel, JsonValue

from api_gateway.domain.models.prompt import PromptKind


class CallbackBody(BaseModel):
    """The response to a prompt. The same each time that it is sent."""

    id: str
    request_id: str | None
    kind: PromptKind
    response: Mapping[str, JsonValue]
    completed_at: datetime
