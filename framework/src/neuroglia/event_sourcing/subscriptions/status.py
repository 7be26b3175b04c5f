"""How a subscription is, for health and metrics."""

from dataclasses import dataclass
from enum import StrEnum

from neuroglia.event_sourcing.store import BEGINNING


class SubscriptionState(StrEnum):
    """What a subscription is doing."""

    STARTING = "starting"
    CATCHING_UP = "catching_up"
    LIVE = "live"
    STANDBY = "standby"
    RETRYING = "retrying"
    STOPPED = "stopped"


@dataclass(slots=True)
class SubscriptionStatus:
    """How a subscription is.

    Attributes:
        position: of the last event passed.
        unknown_events: how many were passed whose type this version of the service does not know.
        parked: in how many streams an event could not be handled, and waits with those behind it.
        rebuilt: the position that the next generation of its models has reached, while one is being built.
        error: the type of the last failure, until something succeeds.
    """

    name: str
    state: SubscriptionState = SubscriptionState.STARTING
    position: int = BEGINNING
    unknown_events: int = 0
    parked: int = 0
    rebuilt: int | None = None
    error: str | None = None
