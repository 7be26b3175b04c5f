"""How prompts are shown."""

from typing import Final

from api_gateway.domain.models.prompt import Prompt, Transition
from api_gateway.integration.models.callbacks import CallbackBody
from api_gateway.integration.models.prompts import PromptDto, TransitionDto
from neuroglia.mapping import by_name

show_prompt: Final = by_name(Prompt, PromptDto)
show_transition: Final = by_name(Transition, TransitionDto)
tell_caller: Final = by_name(Prompt, CallbackBody)
