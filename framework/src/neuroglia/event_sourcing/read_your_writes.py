"""Read your writes: a query may ask that its read model has caught up with a position first."""

from collections.abc import Callable
from typing import Any, ClassVar, Final, TypeVar

from typing_extensions import override

from neuroglia.core.context import current_context
from neuroglia.core.errors import ConfigurationError, MalformedRequest
from neuroglia.event_sourcing.projections import Projection
from neuroglia.event_sourcing.store import EventStore
from neuroglia.event_sourcing.subscriptions import Subscriptions
from neuroglia.mediation import PipelineBehavior, Proceed, QueryHandler, Request, RequestHandler, Stage

H = TypeVar("H", bound=type[QueryHandler[Any, Any]])
_WAIT_S: Final = 5.0
_MARK: Final = "__reads__"


def reads(projection: type[Projection]) -> Callable[[H], H]:
    """Says which projection writes the model that this query handler reads."""

    def decorate(handler: H) -> H:
        setattr(handler, _MARK, projection)
        return handler

    return decorate


class ReadYourWrites(PipelineBehavior):
    """Lets a query with a position wait, at most five seconds, until its projection has passed that.

    The reply tells the position that the model really stands for: the one asked for, or less.
    """

    stage: ClassVar[Stage] = Stage.WAIT

    def __init__(self, store: EventStore, subscriptions: Subscriptions) -> None:
        self._store, self._subscriptions = store, subscriptions
        self._projections: dict[type[Request[Any]], type[Projection]] = {}

    @override
    def applies_to(self, request: type[Request[Any]], handler: type[RequestHandler[Any, Any]]) -> bool:
        projection = getattr(handler, _MARK, None)
        if projection is not None:
            if projection not in self._subscriptions.runners:
                wrong = f"{handler.__name__}: @reads({projection.__name__}), which is no projection of the packages"
                raise ConfigurationError(f"{wrong} given to add_event_sourcing")
            self._projections[request] = projection
        return projection is not None

    @override
    async def handle(self, request: Request[Any], proceed: Proceed) -> Any:
        context = current_context()
        if (wanted := context.wait_for_position) is not None:
            runner, own = self._subscriptions.runners[self._projections[type(request)]], wanted
            if runner.status.position < wanted:
                if wanted > await self._store.head():
                    raise MalformedRequest("The position to wait for is beyond the last event.")
                # events of other services may stand in the log: wait for the last one of ours
                own = await runner.last_own_position(wanted)
                await runner.wait_for(own, _WAIT_S)
            passed = runner.status.position
            context.reply.read_model_position = passed if passed < own else max(wanted, passed)
        return await proceed(request)
