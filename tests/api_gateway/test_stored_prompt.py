"""The stored form of a prompt, to the letter: what was written once must be readable for ever.

A test that fails here says that the stored form has changed. What is added needs a default, so that older ones are
still read: their files stay as they are.
"""

from dataclasses import replace
from pathlib import Path
from typing import Final

from api_gateway.domain.models.prompt import Prompt, Submission
from api_gateway.domain.models.prompt_status import PromptStatus
from neuroglia.core.codec import JsonCodec
from tests.api_gateway.prompts import LATER, NOW, prompt_in

FILE: Final = Path(__file__).parent / "golden" / "prompt.json"
CODEC: Final = JsonCodec(Prompt)


def sample() -> Prompt:
    """One with everything in it."""
    prompt = prompt_in(PromptStatus.SUBMITTED)
    prompt.note_submission(1, Submission.UNSENT)
    prompt.submit(LATER)
    prompt.complete({"text": "größer 🦊", "parts": [1, 0.5, None, True, {"a": "007"}]}, 2, LATER)
    prompt.fault("callback-failed", 'a "reason"', LATER)
    return replace(prompt, data_url="https://caller.example/data", request_id="r-1")


def test_a_prompt_is_written_to_the_letter_as_it_was() -> None:
    assert CODEC.encode(sample()).decode() + "\n" == FILE.read_text(encoding="utf-8")


def test_what_was_written_is_read() -> None:
    prompt = CODEC.decode(FILE.read_bytes())

    assert prompt == sample()
    prompt.retry(LATER, LATER)
    assert (prompt.status, prompt.created_at) == (PromptStatus.COMPLETED, NOW)
