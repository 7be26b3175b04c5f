"""Commands of which no end is known."""

from collections.abc import Sequence
from dataclasses import dataclass

from desktop_controller.integration.models.commands import CommandInHand
from neuroglia.documents import Documents
from neuroglia.mediation import Query, QueryHandler


@dataclass(frozen=True, slots=True)
class CommandsInHand(Query[Sequence[CommandInHand]]):
    """All that were handed to a runner, by this controller or an earlier one, and have not ended as far as is known."""


class CommandsInHandHandler(QueryHandler[CommandsInHand, Sequence[CommandInHand]]):
    def __init__(self, in_hand: Documents[CommandInHand]) -> None:
        self.in_hand = in_hand

    async def handle(self, _: CommandsInHand) -> Sequence[CommandInHand]:
        found: list[CommandInHand] = []
        cursor = None
        while True:
            page = await self.in_hand.find(limit=200, cursor=cursor)
            found += page.items
            if (cursor := page.next_cursor) is None:
                return found
