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
from neuroglia.operations.subscriptions import SubscriptionDto, look


class Live(BaseModel):
    """The process answers."""

    status: Literal["live"] = "live"


class ServiceHealth(BaseModel):
    """A backing service that was really asked."""

    name: str
    state: Literal["up", "down"]


class Ready(BaseModel):
    """`degraded` still serves: a read model lags behind, is being retried, or has parked events."""

    status: Literal["ready", "degraded", "unavailable"]
    services: list[ServiceHealth]
    subscriptions: list[SubscriptionDto]


def health_router(
    provider: ServiceProvider, backing: Sequence[TypeForm[BackingService]], hosted: Sequence[TypeForm[HostedService]]
) -> APIRouter:
    """`/health/live` and `/health/ready`, open to everybody: they tell names and states, nothing else."""
    router = APIRouter(prefix="/health", tags=["Health"])

    @router.get("/live", operation_id="health_live", summary="Whether the process answers")
    async def live() -> Live:
        """Whether the process answers."""
        return Live()

    @router.get("/ready", operation_id="health_ready", summary="Whether it serves", responses={503: {"model": Ready}})
    async def ready(response: Response) -> Ready:
        """Whether the service can do its work: 503 when a backing service is down."""
        services = [await _ask(await provider.get(kind)) for kind in backing]
        up = all(service.state == "up" for service in services)
        alive = all([(await provider.get(kind)).alive for kind in hosted])
        runners = (await provider.get(Subscriptions)).runners.values() if Subscriptions in hosted else ()
        try:
            head = await (await provider.get(EventStore)).head() if up and runners else None
            found = [await look(runner, head) for runner in runners]
        except Unavailable:  # it answered a moment ago
            services = [await _ask(await provider.get(kind)) for kind in backing]
            up, found = False, [await look(runner, None) for runner in runners]
        if not up or not alive:
            response.status_code = 503
            return Ready(status="unavailable", services=services, subscriptions=found)
        told: Literal["ready", "degraded"] = "degraded" if any(map(_is_degraded, found)) else "ready"
        return Ready(status=told, services=services, subscriptions=found)

    return router


def _is_degraded(subscription: SubscriptionDto) -> bool:
    """A live one is always a moment behind; of one that stands by, the other process may have died."""
    if subscription.state is SubscriptionState.STANDBY:
        return subscription.lag != 0
    return subscription.parked > 0 or subscription.state is not SubscriptionState.LIVE


async def _ask(service: BackingService) -> ServiceHealth:
    try:
        await service.ping()
    except ApplicationError:
        return ServiceHealth(name=service.name, state="down")
    return ServiceHealth(name=service.name, state="up")
