"""Prompts, newest first."""

from dataclasses import dataclass
from typing import Final

from pydantic_core import to_json

from api_gateway.application.access import caller_of, is_admin
from api_gateway.domain.models.prompt import Prompt
from api_gateway.integration.models.prompts import PromptDto, PromptStatus
from neuroglia.core import Page, RequestContext
from neuroglia.documents import Documents, eq
from neuroglia.mapping import Mapper
from neuroglia.mediation import Query, QueryHandler

_AT_ONCE: Final = 10
"""So many are fetched and shown at a stretch. A prompt may have half a mebibyte, and meanwhile all others wait."""
_ENOUGH: Final = 4 * 1024 * 1024
"""Behind so many bytes a page ends, however many prompts were asked for: its cursor goes on."""


@dataclass(frozen=True, slots=True)
class ListPrompts(Query[Page[PromptDto]]):
    """A page of the prompts of the caller who asks, or of all for an admin: those in one state, or in any.
    Of large ones it holds fewer than `limit`."""

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
        shown: list[PromptDto] = []
        cursor, size = query.cursor, 0
        while len(shown) < query.limit and size < _ENOUGH:
            limit = min(_AT_ONCE, query.limit - len(shown))
            page = await self.prompts.find(*where, order="-created_at", limit=limit, cursor=cursor)
            some = [self.mapper.map(prompt, PromptDto) for prompt in page.items]
            shown, size = shown + some, size + len(to_json(some))  # the cheapest of all that is done with them
            if (cursor := page.next_cursor) is None:
                break
        return Page(items=shown, next_cursor=cursor)
