"""Submitting a prompt to the GenAI service."""

from typing import cast

from api_gateway.application.commands.accept_response import AcceptResponse
from api_gateway.application.commands.begin_submission import UNCLEAR, UNCLEAR_DETAIL, BeginSubmission
from api_gateway.application.commands.fault_prompt import FaultPrompt
from api_gateway.application.commands.note_submission import NoteSubmission
from api_gateway.application.persistent import persistent
from api_gateway.application.tasks.job import PromptJob
from api_gateway.domain.models.prompt import Prompt, Submission as Outcome
from api_gateway.integration.ports import GenAiRefused, GenAiService, GenAiUnclear, JsonObject, Submission
from neuroglia.core import Unavailable
from neuroglia.mediation import Command, Mediator
from neuroglia.scheduling import BackgroundTask, background_task


@background_task("submit-prompt", attempts=5)
class SubmitPrompt(BackgroundTask[PromptJob]):
    """Each attempt is stored before the call, and made once. What has certainly not arrived is made the next attempt;
    what may have arrived is never sent again."""

    def __init__(self, mediator: Mediator, genai: GenAiService) -> None:
        self.mediator = mediator
        self.genai = genai

    async def run(self, arguments: PromptJob) -> None:
        prompt = await self.mediator.execute(BeginSubmission(arguments.prompt_id))
        if prompt is None:
            return
        try:
            reply = await self.genai.submit(_submission(prompt), key=f"{prompt.id}:{prompt.attempts}")
        except Unavailable:
            await self._note(NoteSubmission(prompt.id, prompt.attempts, Outcome.UNSENT))
            raise
        except GenAiRefused as refusal:
            await self._note(FaultPrompt(prompt.id, prompt.retries, "submission-refused", str(refusal)))
        except GenAiUnclear:
            await self._note(
                NoteSubmission(prompt.id, prompt.attempts, Outcome.UNCLEAR)
                if self.genai.answers_later
                else FaultPrompt(prompt.id, prompt.retries, UNCLEAR, UNCLEAR_DETAIL)
            )
        else:
            await self._note(
                NoteSubmission(prompt.id, prompt.attempts, Outcome.ACCEPTED)
                if reply is None
                else AcceptResponse(prompt.id, reply.response, prompt.attempts)
            )

    @persistent
    async def _note(self, command: Command[object]) -> None:
        """What has happened outside is known here alone."""
        await self.mediator.execute(command)


def _submission(prompt: Prompt) -> Submission:
    return Submission(
        prompt_id=prompt.id,
        attempt=prompt.attempts,
        kind=prompt.kind.value,
        context=cast("JsonObject", prompt.context),  # so it came, and the domain knows no better
        data_object=prompt.data_object,
    )
