"""Watching the bus: many debits of one account in a short time."""

from dataclasses import dataclass

from cloudevents.core.v1.event import CloudEvent
from reactivex import Observable, operators as ops
from reactivex.abc import DisposableBase, SchedulerBase
from reactivex.scheduler import EventLoopScheduler

from neuroglia.cloud_events import CloudEventBus, IntegrationEvent, cloud_event
from neuroglia.core.lifecycle import HostedService


@cloud_event("io.openbank.unusual-activity.v1")
class UnusualActivity(IntegrationEvent):
    """More debits of an account than usual. A hint that may be lost, and no truth of the bank's."""

    account_id: str
    debits: int
    window_seconds: float


@dataclass(frozen=True, slots=True)
class ActivityLimits:
    """So many debits within so many seconds are usual."""

    debits: int
    window_seconds: float


def unusual_activity(
    events: Observable[CloudEvent], limits: ActivityLimits, scheduler: SchedulerBase
) -> Observable[UnusualActivity]:
    """Debits, grouped by account, in buffers that hold one more than usual. A group tells at most once in a window, and
    ends when its account has been quiet for so long: nothing is kept of those that are."""
    window = limits.window_seconds

    def until_quiet(debits: Observable[CloudEvent]) -> Observable[CloudEvent]:
        return debits.pipe(ops.debounce(window, scheduler))

    def is_unusual(buffer: list[CloudEvent]) -> bool:
        return len(buffer) > limits.debits and _seconds(buffer) <= window

    def tell(buffer: list[CloudEvent]) -> UnusualActivity:
        return UnusualActivity(account_id=_account(buffer[0]), debits=len(buffer), window_seconds=window)

    def too_many(debits: Observable[CloudEvent]) -> Observable[UnusualActivity]:
        buffers = debits.pipe(ops.buffer_with_count(limits.debits + 1, 1))
        return buffers.pipe(ops.filter(is_unusual), ops.throttle_first(window, scheduler), ops.map(tell))

    return events.pipe(ops.filter(_is_debit), ops.group_by_until(_account, None, until_quiet), ops.flat_map(too_many))


def _is_debit(event: CloudEvent) -> bool:
    return event.get_type() == "io.openbank.money-withdrawn.v1"


def _account(event: CloudEvent) -> str:
    return str(event.get_subject())


def _seconds(buffer: list[CloudEvent]) -> float:
    """From the first to the last, by the time at which they were recorded."""
    first, last = buffer[0].get_time(), buffer[-1].get_time()
    return (last - first).total_seconds() if first and last else 0.0


class UnusualActivityWatch(HostedService):
    """Publishes what is unusual, as long as the bank runs."""

    def __init__(self, bus: CloudEventBus, limits: ActivityLimits) -> None:
        self.bus = bus
        self.limits = limits
        self._scheduler = EventLoopScheduler()  # one thread for the clocks of all groups
        self._watching: DisposableBase | None = None

    async def start(self) -> None:
        found = unusual_activity(self.bus.output, self.limits, self._scheduler)
        self._watching = found.subscribe(lambda event: self.bus.publish(event, subject=event.account_id))

    async def stop(self) -> None:
        if self._watching is not None:
            self._watching.dispose()
        self._scheduler.dispose()
