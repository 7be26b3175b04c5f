"""Prompts in any state."""

from datetime import UTC, datetime, timedelta

from api_gateway.domain.models.data_object import DataObject
from api_gateway.domain.models.prompt import Prompt, PromptKind, Submission
from api_gateway.domain.models.prompt_status import PromptStatus

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
DATA = DataObject(key="p-1", media_type="application/zip", size=7, sha256="ab" * 32)
RESPONSE = {"text": "an answer"}


def received(callback_url: str | None = "https://caller.example/cb") -> Prompt:
    return Prompt.receive(
        "p-1", caller_id="acme", kind=PromptKind.CHAT, context={"text": "hello"}, callback_url=callback_url,
        data_url=None, request_id=None, now=NOW, expires_at=LATER,
    )  # fmt: skip


def prompt_in(status: PromptStatus, *, callback_url: str | None = "https://caller.example/cb") -> Prompt:
    """A prompt that has come to this state on the shortest way."""
    prompt = received(callback_url)
    way = [
        lambda: prompt.begin_preparation(NOW), lambda: prompt.end_preparation(DATA, NOW), lambda: prompt.submit(NOW),
        lambda: prompt.complete(RESPONSE, 1, NOW), lambda: prompt.respond(NOW),
    ]  # fmt: skip
    match status:
        case PromptStatus.CANCELLED:
            prompt.cancel(NOW)
        case PromptStatus.FAULTED:
            prompt.fault("broken", "It is broken.", NOW)
        case _:
            while prompt.status is not status:
                way.pop(0)()
    return prompt


def submitted(outcome: Submission) -> Prompt:
    """One whose first attempt ended like this."""
    prompt = prompt_in(PromptStatus.SUBMITTED)
    prompt.note_submission(1, outcome)
    return prompt
