"""The admin API: `/operations`."""

from collections.abc import AsyncIterator
from typing import Annotated, ClassVar

from fastapi import Header, Query
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict, Field

from neuroglia.core import FieldError, InvalidRequest, NotFoundError
from neuroglia.documents import WorkState
from neuroglia.domain import RuleViolation
from neuroglia.event_sourcing import BEGINNING, Subscriptions
from neuroglia.event_sourcing.subscriptions import Means, ProjectionRunner, SubscriptionRunner
from neuroglia.mvc import DEFAULT_LIMIT, ControllerBase, Limit, Page, get, post
from neuroglia.operations.events import LAST, EventDto, EventLog
from neuroglia.operations.jobs import ADMIN, NO_KEY
from neuroglia.operations.subscriptions import ParkedEvent, SubscriptionDetails, look, look_closely, show_parked

_Place = Annotated[int, Field(ge=BEGINNING, le=LAST)]
After = Annotated[_Place, Query(description="Where the page before ended: its `next_cursor`.")]
Stream = Annotated[str | None, Query(description="Of this stream alone.")]


class NoProjection(RuleViolation):
    """Only what a projection writes can be built anew."""

    code: ClassVar[str] = "no-projection"


class ReplayRequest(BaseModel):
    """What of the parked: all, or a stream's."""

    model_config = ConfigDict(extra="forbid")
    stream: str | None = None


class DiscardRequest(ReplayRequest):
    """What of the parked: all, a stream's, or the event at one position of the log."""

    position: _Place | None = None


class OperationsController(ControllerBase):
    def __init__(self, log: EventLog, subscriptions: Subscriptions, means: Means) -> None:
        """It asks the stores and the runners themselves: there is no use case between."""
        self._log = log
        self._means = means
        self._runners = {runner.status.name: runner for runner in subscriptions.runners.values()}

    @get("/events", scopes=ADMIN)
    async def events(
        self,
        stream: Stream = None,
        correlation_id: Annotated[str | None, Query(description="Of this request of the outside alone.")] = None,
        after: After = BEGINNING,
        limit: Limit = DEFAULT_LIMIT,
    ) -> Page[EventDto]:
        """Lists events, oldest first: those of a stream, those with a correlation id, or all of the log."""
        if stream is not None and correlation_id is not None:
            raise InvalidRequest([FieldError("/query/stream", "one-of", "Give stream or correlation_id.")])
        if stream is not None:
            return await self._log.of_stream(stream, after, limit)
        if correlation_id is not None:
            return await self._log.of_correlation(correlation_id, after, limit)
        return await self._log.page(after, limit)

    @get("/events/tail", scopes=ADMIN, response_class=EventSourceResponse)
    async def tail(
        self,
        prefix: Annotated[str, Query(description="Of streams that begin so alone.")] = "",
        last_event_id: Annotated[_Place | None, Header(description="Go on from behind this position.")] = None,
    ) -> AsyncIterator[ServerSentEvent]:
        """Sends events as they happen (Server-Sent Events); the id of each is its position. First of all comes the
        place from which on they are sent, an id without data: who is cut off goes on from there."""
        place = await self._log.at(LAST if last_event_id is None else last_event_id)
        yield ServerSentEvent(id=str(place))
        async for event in self._log.follow(place, prefix):
            yield ServerSentEvent(data=event, id=str(event.position))

    @get("/subscriptions", scopes=ADMIN)
    async def subscriptions(self) -> Page[SubscriptionDetails]:
        """Lists projections and reactions: how far each is, and what is wrong with it."""
        return Page(items=[await look_closely(runner, self._means) for runner in self._runners.values()])

    @post("/subscriptions/{name}/rebuild", status_code=202, scopes=ADMIN, openapi_extra=NO_KEY)
    async def rebuild(self, name: str) -> SubscriptionDetails:
        """Lets a projection's models be built anew beside the live ones."""
        runner = self._runner(name)
        if not isinstance(runner, ProjectionRunner):
            raise NoProjection(f"{name} is a reaction: it has no models that could be built anew.")
        await runner.rebuild()
        return await look_closely(runner, self._means)

    @get("/parked", scopes=ADMIN)
    async def parked(self, limit: Limit = DEFAULT_LIMIT) -> Page[ParkedEvent]:
        """Lists what is parked, in the order of the log: the first events of each subscription."""
        pages = [await self._parked(runner, None, BEGINNING, limit) for runner in self._runners.values()]
        return Page(items=[parked for page in pages for parked in page.items])

    @get("/parked/{subscription}", scopes=ADMIN)
    async def parked_of(
        self, subscription: str, stream: Stream = None, after: After = BEGINNING, limit: Limit = DEFAULT_LIMIT
    ) -> Page[ParkedEvent]:
        """Lists what of a subscription is parked, in the order of the log."""
        return await self._parked(self._runner(subscription), stream, after, limit)

    @post("/parked/{subscription}/replay", status_code=202, scopes=ADMIN, openapi_extra=NO_KEY)
    async def replay(self, subscription: str, request: ReplayRequest | None = None) -> SubscriptionDetails:
        """Lets what is parked be handled after all, in order."""
        runner = self._runner(subscription)
        await runner.replay(request.stream if request else None)
        return await look_closely(runner, self._means)

    @post("/parked/{subscription}/discard", status_code=202, scopes=ADMIN, openapi_extra=NO_KEY)
    async def discard(self, subscription: str, request: DiscardRequest | None = None) -> SubscriptionDetails:
        """Leaves what is parked out for ever; what stood behind it is handled."""
        runner, request = self._runner(subscription), request or DiscardRequest()
        await runner.discard(request.stream, position=request.position)
        return await look_closely(runner, self._means)

    def _runner(self, name: str) -> SubscriptionRunner:
        if (runner := self._runners.get(name)) is None:
            raise NotFoundError("subscription", name)
        return runner

    async def _parked(
        self, runner: SubscriptionRunner, stream: str | None, after: int, limit: int
    ) -> Page[ParkedEvent]:
        await look(runner, BEGINNING)  # another process may have swapped generations; its lag is not asked for
        items = (await runner.parking.items.page(WorkState.PARKED, stream, after=after))[:limit]
        shown = [show_parked(runner, item) for item in items if item.state is WorkState.PARKED]
        return Page(items=shown, next_cursor=str(items[-1].number) if len(items) == limit else None)
