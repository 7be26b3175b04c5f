"""One prompt."""

from dataclasses import dataclass

from api_gateway.application.access import require_access
from api_gateway.domain.models.prompt import Prompt
from api_gateway.integration.models.prompts import PromptDto
from neuroglia.core import RequestContext
from neuroglia.domain import Repository
from neuroglia.mapping import Mapper
from neuroglia.mediation import Query, QueryHandler


@dataclass(frozen=True, slots=True)
class GetPrompt(Query[PromptDto]):
    """One prompt as it is now."""

    prompt_id: str


class GetPromptHandler(QueryHandler[GetPrompt, PromptDto]):
    def __init__(self, prompts: Repository[Prompt], context: RequestContext, mapper: Mapper) -> None:
        self.prompts = prompts
        self.context = context
        self.mapper = mapper

    async def handle(self, query: GetPrompt) -> PromptDto:
        prompt = await self.prompts.get(query.prompt_id)
        require_access(prompt, self.context.principal)
        return self.mapper.map(prompt, PromptDto)
