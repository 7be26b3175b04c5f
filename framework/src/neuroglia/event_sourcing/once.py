"""A command takes effect once: rewind and repeat.

Effects live in the event store, while keys and checkpoints live in the document store; there is no transaction over
both. So a command that may come twice carries an id. What it appends gets ids that derive from it, and a repeat finds
them: it then decides again on the state from before them, gives the same answer, and appends nothing.
"""

from neuroglia.core.context import RequestContext
from neuroglia.core.ids import CommandIds, Ids, SystemIds, derived_id
from neuroglia.event_sourcing.store import BEGINNING


class OneCommand:
    """What the repositories of one message share: the id that it may be repeated with, and that it saves one stream.

    Attributes:
        since: the log position from before the first try. What the command appended stands behind it.
    """

    def __init__(self, context: RequestContext) -> None:
        self._command_id = context.command_id
        self.since = BEGINNING if context.since is None else context.since
        self._saved: str | None = None

    @property
    def may_repeat(self) -> bool:
        """Whether this may not be the first try."""
        return self._command_id is not None

    def event_id(self, stream: str, number: int) -> str | None:
        """The id of the event that every try appends to a stream as its `number`-th; None where none is derived."""
        return None if self._command_id is None else derived_id(self._command_id, stream, number)

    def saves(self, stream: str) -> None:
        """Notes that a stream is saved.

        Raises:
            RuntimeError: it is the second one; a crash between the two would leave half of the command done.
        """
        if self._saved is not None:
            raise RuntimeError(f"a command saves one stream, once: this one saved {self._saved} before {stream}")
        self._saved = stream


def ids_of(context: RequestContext) -> Ids:
    """The ids that a message gives away: the same at every try, where there may be several."""
    return SystemIds() if context.command_id is None else CommandIds(context.command_id)
