"""A command takes effect once: rewind and repeat.

Effects live in the event store, while keys and checkpoints live in the document store; there is no transaction over
both. So a command that may come twice carries an id. What it appends gets ids that derive from it, and a repeat finds
them: it then decides again on the state from before them, gives the same answer, and appends nothing.
"""

from collections.abc import Awaitable, Callable

from typing_extensions import override

from neuroglia.core.context import RequestContext
from neuroglia.core.ids import CommandIds, Ids, SystemIds, derived_id
from neuroglia.core.lifecycle import UnitOfWork
from neuroglia.event_sourcing.store import BEGINNING


class OneCommand(UnitOfWork):
    """What the repositories of one message share: the id that it may be repeated with, that it saves one stream, and
    what it takes on trust: the state of one aggregate as it is remembered, if no repeat has to be looked for. An append
    behind that state confirms it; who appends nothing, or elsewhere, asks the log before anybody hears the answer.

    Attributes:
        context: what the message came with.
        may_repeat: whether this may not be the first try.
        trusts: whether the next state can be taken as it is remembered.
        since: the log position from before the first try. What the command appended stands behind it.
    """

    def __init__(self, context: RequestContext, ids: Ids) -> None:
        self.context = context
        self._ids = ids
        self.may_repeat = context.command_id is not None
        self.since = BEGINNING if context.since is None else context.since
        self.trusts = False
        self._saved: str | None = None
        self._trusted = "", -1
        self._confirm: Callable[[], Awaitable[None]] | None = None

    @override
    def begin(self) -> None:
        self.trusts = not self.may_repeat

    def trust(self, stream: str, version: int, confirm: Callable[[], Awaitable[None]]) -> None:
        """Notes that the state of a stream is trusted to be the latest. It is the only one: a second one could not be
        confirmed by the same append."""
        self.trusts, self._trusted, self._confirm = False, (stream, version), confirm

    @override
    async def confirm(self) -> None:
        self.trusts = False
        if self._confirm is not None:
            await self._confirm()
            self._confirm = None

    commit = confirm

    def event_id(self, stream: str, number: int) -> str:
        """The id of the event that every try appends to a stream as its `number`-th."""
        return derived_id(self.context.command_id, stream, number) if self.context.command_id else self._ids.new()

    async def saves(self, stream: str, version: int) -> None:
        """Notes that a stream is saved. An append behind the trusted version confirms that; any other is confirmed now.

        Raises:
            RuntimeError: it is the second one; a crash between the two would leave half of the command done.
            ConcurrencyError: see `confirm`.
        """
        if self._saved is not None:
            raise RuntimeError(f"a command saves one stream, once: this one saved {self._saved} before {stream}")
        self._saved = stream
        if (stream, version) == self._trusted:
            self._confirm = None
        await self.confirm()


def ids_of(context: RequestContext) -> Ids:
    """The ids that a message gives away: the same at every try, where there may be several."""
    return SystemIds() if context.command_id is None else CommandIds(context.command_id)
