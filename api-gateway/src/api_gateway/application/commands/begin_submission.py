"""Noting that a prompt is going to the GenAI service, before it goes."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from api_gateway.application.limits import PromptLimits
from api_gateway.domain.models.prompt import Prompt, Submission
from api_gateway.domain.models.prompt_status import PromptStatus
from api_gateway.integration.ports import GenAiService
from neuroglia.core import Clock, Unavailable
from neuroglia.domain import Repository
from neuroglia.mediation import Command, CommandHandler

UNCLEAR: Final = "submission-unclear"
UNCLEAR_DETAIL: Final = "Nobody knows whether the GenAI service has taken the prompt. It can be retried."


@dataclass(frozen=True, slots=True)
class BeginSubmission(Command[Prompt | None]):
    """The next attempt begins. None: there is none to be made."""

    prompt_id: str


class BeginSubmissionHandler(CommandHandler[BeginSubmission, Prompt | None]):
    """Finds out whether the attempt before was left unfinished. Then it may have arrived, and is not made again: the
    prompt waits for an answer that may still come, or faults if none can."""

    def __init__(self, prompts: Repository[Prompt], genai: GenAiService, limits: PromptLimits, clock: Clock) -> None:
        self.prompts = prompts
        self.genai = genai
        self.limits = limits
        self.clock = clock

    async def handle(self, command: BeginSubmission) -> Prompt | None:
        """Raises Unavailable while whoever has begun the attempt may only be slow, and tell yet what became of it."""
        prompt, now = await self.prompts.get(command.prompt_id), self.clock.now()
        is_left = prompt.status is PromptStatus.SUBMITTED and prompt.submission is Submission.BEGUN
        if not is_left:
            prompt.submit(now)
        elif (left := prompt.changed_at + self.limits.longest_call - now) > timedelta():
            raise Unavailable("The attempt may still be under way.", retry_after=left.total_seconds())
        elif self.genai.answers_later:
            prompt.note_submission(prompt.attempts, Submission.UNCLEAR)
        else:
            prompt.fault(UNCLEAR, UNCLEAR_DETAIL, now)
        await self.prompts.save(prompt)
        return None if is_left else prompt
