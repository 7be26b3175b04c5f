"""How subscriptions are, and what of them is parked."""

from dataclasses import asdict, dataclass
from typing import Literal

from pydantic import BaseModel, Field

from neuroglia.documents import Session, WorkItem, WorkState
from neuroglia.event_sourcing import SubscriptionState, SubscriptionStatus
from neuroglia.event_sourcing.subscriptions import Generation, Means, ProjectionRunner, SubscriptionRunner
from neuroglia.event_sourcing.subscriptions.checkpoints import GENERATIONS, load_checkpoint
from neuroglia.event_sourcing.subscriptions.parking import REQUESTS


@dataclass(slots=True, kw_only=True)
class SubscriptionDto(SubscriptionStatus):
    """How a subscription is. `lag` is how far behind the last event that it gets to see, in positions of the log; None
    while the event store does not tell."""

    kind: Literal["projection", "reaction"]
    lag: int | None


@dataclass(slots=True, kw_only=True)
class SubscriptionDetails(SubscriptionDto):
    """The same, asked of the stores. `requested` events, parked before, are to be replayed or discarded."""

    requested: int


class ParkedEvent(BaseModel):
    """An event that waits until somebody decides: it failed, or stands `behind` one of its stream that did."""

    subscription: str
    stream: str = Field(validation_alias="group")
    position: int = Field(validation_alias="number")
    revision: int
    type: str
    error: str | None
    attempts: int
    behind: bool


async def look(runner: SubscriptionRunner, head: int | None) -> SubscriptionDto:
    """How a subscription is; `head` is where the log ends, None while nobody can tell."""
    status, lag = runner.status, None
    if head is not None:
        if status.state is SubscriptionState.STANDBY:
            await runner.look()
        lag = max(0, await runner.own_end(head) - status.position) if status.position < head else 0
    kind: Literal["projection", "reaction"] = "projection" if isinstance(runner, ProjectionRunner) else "reaction"
    return SubscriptionDto(**asdict(status), kind=kind, lag=lag)


async def look_closely(runner: SubscriptionRunner, means: Means) -> SubscriptionDetails:
    """How it is in whichever process runs it."""
    known, session = await look(runner, await means.events.head()), Session(means.documents)
    requested = sum([1 for state in REQUESTS async for _ in runner.parking.items.find(state)])
    told = SubscriptionDetails(**asdict(known), requested=requested)
    told.parked = len({item.group async for item in runner.parking.items.find(WorkState.PARKED)})
    row = await session.get(GENERATIONS, told.name) or Generation(name=told.name)
    checkpoint = await load_checkpoint(session, f"{told.name}@{row.building}")
    told.rebuilt = checkpoint.position if row.building is not None else None
    return told


def show_parked(runner: SubscriptionRunner, item: WorkItem) -> ParkedEvent:
    """A parked event. What it says is read from the event store."""
    told = {"subscription": runner.status.name, "behind": item.error is None}
    return ParkedEvent.model_validate({**item.body, **item.model_dump(), **told})
