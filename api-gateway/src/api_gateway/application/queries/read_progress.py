"""What has happened to a prompt lately."""

from dataclasses import dataclass

from api_gateway.application.access import require_access
from api_gateway.domain.models.prompt import Prompt
from api_gateway.integration.models.prompts import PromptProgress, TransitionDto
from neuroglia.core import RequestContext
from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Query, QueryHandler


@dataclass(frozen=True, slots=True)
class ReadProgress(Query[PromptProgress]):
    """Its steps behind a version of it, as far as they are known."""

    prompt_id: str
    after: int


class ReadProgressHandler(QueryHandler[ReadProgress, PromptProgress]):
    def __init__(self, prompts: Repository[Prompt], context: RequestContext, mapper: Mapper) -> None:
        self.prompts = prompts
        self.context = context
        self.mapper = mapper

    async def handle(self, query: ReadProgress) -> PromptProgress:
        prompt = await self.prompts.get(query.prompt_id)
        require_access(prompt, self.context.principal)
        new = [taken for taken in prompt.history if taken.number > query.after]
        return PromptProgress(
            transitions=[self.mapper.map(taken, TransitionDto) for taken in new], is_final=prompt.is_final
        )
