"""Reactions: classes that do something in answer to events, by commands or by calls to the outside."""

from typing import Any, ClassVar

from typing_extensions import override

from neuroglia.event_sourcing.handlers import Subscriber


class Reaction(Subscriber):
    """Base of reactions: events of different streams are handled at the same time, those of one stream in order.

    An event may come twice. Each `@on` method runs in a scope of its own, as a command with an id that derives from
    the event, so that the commands which it sends take effect once; what it stages in `Documents[...]` is committed
    after it, and once: a process that was paused until another one has taken over writes nothing any more. A
    `DomainError` is an answer, and the event is done with. When a backing service is `Unavailable`, the event waits
    for it; any other failure counts as an attempt.

    Attributes:
        workers: how many events are handled at the same time, at most.
    """

    workers: ClassVar[int]

    @override
    def __init_subclass__(cls, *, workers: int = 8, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.workers = workers
