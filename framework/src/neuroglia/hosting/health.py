"""Health: is this process alive, and can it serve?"""

from collections.abc import Sequence
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel
from typing_extensions import TypeForm

from neuroglia.core.errors import ApplicationError, Unavailable
from neuroglia.core.lifecycle import BackingService, HostedService
from neuroglia.dependency_injection import ServiceProvider
from neuroglia.event_sourcing import EventStore, Subscriptions, SubscriptionState
from neuroglia.event_sourcing.subscriptions import SubscriptionRunner


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"] = "live"


class ServiceHealth(BaseModel):
    """A backing service that was really asked."""

    name: str
    state: Literal["up", "down"]


class SubscriptionHealth(BaseModel):
    """How far a subscription is. `lag` is counted in positions of the log, `parked` in streams."""

    name: str
    state: SubscriptionState
    position: int
    lag: int
    parked: int
    unknown_events: int
    error: str | None


class Ready(BaseModel):
    """`degraded` still serves: a read model lags behind, is being retried, or has parked events."""

    status: Literal["ready", "degraded", "unavailable"]
    services: list[ServiceHealth]
    subscriptions: list[SubscriptionHealth]


def health_router(
    provider: ServiceProvider, backing: Sequence[TypeForm[BackingService]], hosted: Sequence[TypeForm[HostedService]]
) -> APIRouter:
    """`/health/live` and `/health/ready`, open to everybody: they tell names and states, nothing else."""
    router = APIRouter(prefix="/health", tags=["Health"])

    @router.get("/live", operation_id="health_live")
    async def live() -> Live:
        """Whether the process answers."""
        return Live()

    @router.get("/ready", operation_id="health_ready", responses={503: {"model": Ready}})
    async def ready(response: Response) -> Ready:
        """Whether the service can do its work: 503 when a backing service is down."""
        services = [await _ask(await provider.get(kind)) for kind in backing]
        up = all(service.state == "up" for service in services)
        alive = all([(await provider.get(kind)).alive for kind in hosted])
        runners = (await provider.get(Subscriptions)) if Subscriptions in hosted else None
        found: list[SubscriptionHealth] = []
        if runners is not None:
            try:
                head = await (await provider.get(EventStore)).head() if up else None
                found = [await _look(runner, head) for runner in runners.runners]
            except Unavailable:  # it answered a moment ago
                services = [await _ask(await provider.get(kind)) for kind in backing]
                up, found = False, [await _look(runner, None) for runner in runners.runners]
        if not up or not alive:
            response.status_code = 503
            return Ready(status="unavailable", services=services, subscriptions=found)
        degraded = any(_is_degraded(subscription) for subscription in found)
        return Ready(status="degraded" if degraded else "ready", services=services, subscriptions=found)

    return router


async def _look(runner: SubscriptionRunner, head: int | None) -> SubscriptionHealth:
    """How a subscription is; `head` is where the log ends, None while nobody can tell."""
    status, lag = runner.status, 0
    if head is not None:
        if status.state is SubscriptionState.STANDBY:
            await runner.look()
        if status.position < head:
            lag = max(0, await runner.last_own_position(head) - status.position)
    return SubscriptionHealth(
        name=status.name, state=status.state, position=status.position, lag=lag,
        parked=status.parked, unknown_events=status.unknown_events, error=status.error,
    )  # fmt: skip


def _is_degraded(subscription: SubscriptionHealth) -> bool:
    """A live one is always a moment behind; of one that stands by, the other process may have died."""
    if subscription.state is SubscriptionState.STANDBY:
        return subscription.lag > 0
    return subscription.parked > 0 or subscription.state is not SubscriptionState.LIVE


async def _ask(service: BackingService) -> ServiceHealth:
    try:
        await service.ping()
    except ApplicationError:
        return ServiceHealth(name=service.name, state="down")
    return ServiceHealth(name=service.name, state="up")
