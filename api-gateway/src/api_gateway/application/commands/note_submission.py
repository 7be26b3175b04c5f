"""Noting what became of an attempt that has brought no response."""

from dataclasses import dataclass

from api_gateway.domain.models.prompt import Prompt, Submission
from neuroglia.domain import Repository
from neuroglia.mediation import Command, CommandHandler


@dataclass(frozen=True, slots=True)
class NoteSubmission(Command[None]):
    """It was accepted, certainly not sent, or nobody knows."""

    prompt_id: str
    attempt: int
    outcome: Submission


class NoteSubmissionHandler(CommandHandler[NoteSubmission, None]):
    def __init__(self, prompts: Repository[Prompt]) -> None:
        self.prompts = prompts

    async def handle(self, command: NoteSubmission) -> None:
        prompt = await self.prompts.get(command.prompt_id)
        prompt.note_submission(command.attempt, command.outcome)
        await self.prompts.save(prompt)
