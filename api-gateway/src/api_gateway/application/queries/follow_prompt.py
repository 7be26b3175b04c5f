"""A prompt's steps, as they are taken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from api_gateway.application.queries.read_progress import ReadProgress
from api_gateway.integration.models.prompts import PromptProgress
from neuroglia.core.lifecycle import Stopping
from neuroglia.mediation import Mediator, Query, QueryHandler

_SOON_S: Final = 0.05
_LATE_S: Final = 1.0
"""So soon one looks again, and while nothing happens twice as late each time, but at last so late."""
_IDLE_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class FollowPrompt(Query[AsyncIterator[PromptProgress]]):
    """The steps behind a version of it, until it is final."""

    prompt_id: str
    after: int


class FollowPromptHandler(QueryHandler[FollowPrompt, AsyncIterator[PromptProgress]]):
    """Looks again and again, for any replica may take the next step. What it answers with goes on after the query."""

    def __init__(self, mediator: Mediator, stopping: Stopping) -> None:
        self.mediator = mediator
        self.stopping = stopping

    async def handle(self, query: FollowPrompt) -> AsyncIterator[PromptProgress]:
        first = await self.mediator.execute(ReadProgress(query.prompt_id, query.after))
        return self._progress(query.prompt_id, query.after, first)

    async def _progress(self, prompt_id: str, after: int, progress: PromptProgress) -> AsyncIterator[PromptProgress]:
        silent, pause = 0.0, _SOON_S
        while True:
            if progress.transitions or progress.is_final or silent >= _IDLE_S:
                silent = 0.0
                yield progress
            if progress.is_final or await self._has_stopped(pause):
                return
            silent, pause = silent + pause, _SOON_S if progress.transitions else min(pause * 2, _LATE_S)
            after = max([after, *(transition.number for transition in progress.transitions)])
            progress = await self.mediator.execute(ReadProgress(prompt_id, after))

    async def _has_stopped(self, seconds: float) -> bool:
        """Whether the service ends, within so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                return await self.stopping.wait()
        return False
