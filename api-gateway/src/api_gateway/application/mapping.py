"""How prompts are shown."""

from api_gateway.domain.models.prompt import Prompt, Transition
from api_gateway.integration.models.prompts import DataObjectDto, FaultDto, PromptDto, TransitionDto
from neuroglia.mapping import by_name
