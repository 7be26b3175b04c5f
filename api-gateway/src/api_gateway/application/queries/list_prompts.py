"""Prompts, newest first."""

from dataclasses import dataclass

from api_gateway.application.access import caller_of, is_admin
from api_gateway.domain.models.prompt import Prompt
from api_gateway.integration.models.prompts import PromptDto, PromptStatus
from neuroglia.core import Page, RequestContext
from neuroglia.documents import Documents, eq
from neuroglia.mapping import Mapper
from neuroglia.mediation import Query, QueryHandler


@dataclass(frozen=True, slots=True)
class ListPrompts(Query[Page[PromptDto]]):
    """A page of the prompts of the caller who asks, or of all for an admin: those in one state, or in any."""

    status: PromptStatus | None
    limit: int
    cursor: str | None


class ListPromptsHandler(QueryHandler[ListPrompts, Page[PromptDto]]):
    def __init__(self, prompts: Documents[Prompt], context: RequestContext, mapper: Mapper) -> None:
        self.prompts = prompts
        self.context = context
        self.mapper = mapper

    async def handle(self, query: ListPrompts) -> Page[PromptDto]:
        principal = self.context.principal
        where = [] if is_admin(principal) else [eq("caller_id", caller_of(principal))]
        if query.status is not None:
            where.append(eq("status", query.status))
        page = await self.prompts.find(*where, order="-created_at", limit=query.limit, cursor=query.cursor)
        return Page(items=[self.mapper.map(prompt, PromptDto) for prompt in page.items], next_cursor=page.next_cursor)
