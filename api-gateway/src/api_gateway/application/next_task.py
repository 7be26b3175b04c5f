"""Which task does what a prompt needs next."""

from collections.abc import Mapping
from typing import Final

from api_gateway.application.tasks.call_back import CallBack
from api_gateway.application.tasks.job import PromptJob
from api_gateway.application.tasks.prepare_prompt import PreparePrompt
from api_gateway.application.tasks.submit_prompt import SubmitPrompt
from api_gateway.domain.models.prompt import Work
from neuroglia.scheduling import BackgroundTask

NEXT_TASK: Final[Mapping[Work, type[BackgroundTask[PromptJob]]]] = {
    Work.PREPARE: PreparePrompt,
    Work.SUBMIT: SubmitPrompt,
    Work.RESPOND: CallBack,
}
"""For who comes from the side: a retry, or the sweep. Each step itself enqueues the one behind it."""
