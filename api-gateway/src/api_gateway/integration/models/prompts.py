"""How prompts are stored and shown."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from pydantic import BaseModel, JsonValue

from api_gateway.domain.models.prompt import Prompt, PromptKind as PromptKind
from api_gateway.domain.models.prompt_status import PromptStatus as PromptStatus
from neuroglia.documents import keep

PROMPTS: Final = keep(
    Prompt,
    "prompts",
    indexes=[
        "created_at",
        ("status", "created_at"),
        ("caller_id", "created_at"),
        ("caller_id", "status", "created_at"),
        ("work", "changed_at"),
    ],
)


class DataObjectDto(BaseModel):
    """What was fetched from the data URL. `size` is in bytes."""

    media_type: str
    size: int
    sha256: str


class FaultDto(BaseModel):
    """Why a prompt is faulted. `code` is stable and for programs, `detail` is for people."""

    code: str
    detail: str


class PromptDto(BaseModel):
    """A prompt as it stands. `attempts`: how often it was submitted to the GenAI service."""

    id: str
    caller_id: str
    kind: PromptKind
    status: PromptStatus
    context: Mapping[str, JsonValue]
    callback_url: str | None = None
    data_url: str | None = None
    request_id: str | None = None
    data_object: DataObjectDto | None = None
    response: Mapping[str, JsonValue] | None = None
    error: FaultDto | None = None
    attempts: int
    created_at: datetime
    expires_at: datetime
    prepared_at: datetime | None = None
    submitted_at: datetime | None = None
    completed_at: datetime | None = None
    responded_at: datetime | None = None
    version: int
    is_final: bool
    """Whether nothing follows by itself any more."""


class TransitionDto(BaseModel):
    """A prompt has come to a state. `number` is its version with it."""

    number: int
    status: PromptStatus
    at: datetime
    attempt: int
    error: FaultDto | None = None


class PromptProgress(BaseModel):
    """What has happened to a prompt behind a version of it. Without transitions it is a sign of life."""

    transitions: Sequence[TransitionDto]
    is_final: bool


class ReceivedPrompt(BaseModel):
    """A prompt that was sent. `is_new`: it had not come before."""

    prompt: PromptDto
    is_new: bool
