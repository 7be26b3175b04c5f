"""A command's output, as it grows."""

import codecs
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import tenacity

from desktop_controller.application.command_runner import CommandRunner
from desktop_controller.application.queries.get_command import GetCommand
from desktop_controller.application.queries.read_output import ReadOutput
from desktop_controller.application.until_final import until_final
from desktop_controller.application.until_stopped import until_stopped
from desktop_controller.integration.models.output import OutputPiece
from desktop_controller.integration.ports import Outputs
from neuroglia.core import MalformedRequest, NotFoundError
from neuroglia.core.lifecycle import Stopping
from neuroglia.mediation import Mediator, Query, QueryHandler

Pieces = AsyncIterator[tuple[int, bytes]]
LivePieces = AsyncIterator[tuple[int, bytes] | None]
_PIECE: Final = 64 * 1024
_IDLE_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class FollowOutput(Query[AsyncIterator[OutputPiece]]):
    """The output from a byte on, until the command has ended. One that waits for its turn is waited for."""

    command_id: str
    offset: int


def _is_unknown(is_over: bool | None) -> bool:
    return is_over is None


class FollowOutputHandler(QueryHandler[FollowOutput, AsyncIterator[OutputPiece]]):
    """What it answers with goes on after the query, on what lives as long as the controller."""

    def __init__(self, mediator: Mediator, outputs: Outputs, runner: CommandRunner, stopping: Stopping) -> None:
        self.mediator = mediator
        self.outputs = outputs
        self.runner = runner
        self.stopping = stopping

    async def handle(self, query: FollowOutput) -> AsyncIterator[OutputPiece]:
        captured = await self.mediator.execute(ReadOutput(query.command_id))
        if query.offset > len(captured):
            raise MalformedRequest("Nothing of this command was sent under this Last-Event-ID.")
        pieces = until_stopped(self._pieces(query.command_id, query.offset), self.stopping, _IDLE_S)
        return self._as_text(pieces, query.offset)

    async def _pieces(self, command_id: str, offset: int) -> Pieces:
        if not await self._is_over(command_id):
            async for piece in self.outputs.follow(command_id, offset):
                yield piece
            await until_final(self.mediator, command_id)  # it is recorded a moment after the output is complete
            return
        captured = await self.mediator.execute(ReadOutput(command_id))  # perhaps by a controller that died
        for start in range(offset, len(captured), _PIECE):
            content = captured[start : start + _PIECE]
            yield start + len(content), content

    @tenacity.retry(
        retry=tenacity.retry_if_result(_is_unknown), wait=tenacity.wait_exponential(multiplier=0.01, max=0.25)
    )
    async def _is_over(self, command_id: str) -> bool | None:
        """Whether it has ended; asked again while it has neither ended nor begun to write (None). What an earlier
        controller has left running has begun, but nobody would ever tell that it ends."""
        if (await self.mediator.execute(GetCommand(command_id))).status.is_final:
            return True
        if not self.runner.has(command_id):
            return None
        try:
            await self.outputs.read(command_id)
        except NotFoundError:
            return None
        return False

    async def _as_text(
        self, pieces: AsyncIterator[tuple[int, bytes] | None], offset: int
    ) -> AsyncIterator[OutputPiece]:
        """Pieces end anywhere. A character is sent when it is whole, with the offset behind it."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        async for piece in pieces:
            offset, content = piece or (offset, b"")
            text, (rest, _) = decoder.decode(content), decoder.getstate()
            if text or piece is None:
                yield OutputPiece(offset - len(rest), text)
        if not self.stopping.is_set():
            yield OutputPiece(offset, decoder.decode(b"", final=True), is_last=True)
