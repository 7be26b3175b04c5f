"""All subscriptions of an application: started with it, stopped with it, and asked and told things by name."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Final

from typing_extensions import override

from neuroglia.core.ids import SystemIds
from neuroglia.core.lifecycle import HostedService
from neuroglia.documents import Lease
from neuroglia.event_sourcing.handlers import Subscriber, SubscriberType
from neuroglia.event_sourcing.process_managers import ProcessManager
from neuroglia.event_sourcing.reactions import Reaction
from neuroglia.event_sourcing.subscriptions.means import Means
from neuroglia.event_sourcing.subscriptions.process_runner import ProcessRunner
from neuroglia.event_sourcing.subscriptions.projection_runner import ProjectionRunner
from neuroglia.event_sourcing.subscriptions.reaction_runner import ReactionRunner
from neuroglia.event_sourcing.subscriptions.runner import SubscriptionRunner

_log: Final = logging.getLogger("neuroglia.subscriptions")
_STOP_S: Final = 5.0


class Subscriptions(HostedService):
    """All runners of the application."""

    def __init__(self, runners: list[SubscriptionRunner]) -> None:
        self._runners = {runner.kind.subscriber: runner for runner in runners}
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def runners(self) -> Sequence[SubscriptionRunner]:
        """Each one, with its status."""
        return list(self._runners.values())

    def has(self, subscriber: type[Subscriber]) -> bool:
        """Whether the application runs it."""
        return subscriber in self._runners

    def runner(self, subscriber: type[Subscriber]) -> SubscriptionRunner:
        """The runner of a projection or reaction."""
        return self._runners[subscriber]

    async def wait_for(self, position: int, seconds: float) -> None:
        """Returns once every subscription has passed the last of its events up to `position`.

        Raises:
            TimeoutError: one of them has not, after so many seconds.
        """
        async with asyncio.timeout(seconds):
            for runner in self._runners.values():
                await runner.wait_for(await runner.last_own_position(position), seconds)

    @property
    def alive(self) -> bool:
        """False when a runner ended that should be running: this process is broken."""
        return not any(task.done() for task in self._tasks)

    @override
    async def start(self) -> None:
        for runner in self._runners.values():  # the first request already reads the live generation
            await runner.look()
        self._tasks = [asyncio.create_task(runner.run(), name=runner.status.name) for runner in self._runners.values()]
        for task in self._tasks:
            task.add_done_callback(_report_death)

    @override
    async def stop(self) -> None:
        for runner in self._runners.values():
            await runner.stop()
        _, unfinished = await asyncio.wait(self._tasks, timeout=_STOP_S) if self._tasks else ((), ())
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        self._tasks = []


def _report_death(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.critical("subscription died", exc_info=error, extra={"subscription": task.get_name()})


def runner_factory(
    kind: SubscriberType, prefixes: Sequence[str], lease_seconds: float
) -> Callable[[Means], SubscriptionRunner]:
    """Makes the runner of a subscriber, for the container."""

    def make(means: Means) -> SubscriptionRunner:
        name = kind.subscriber.name
        lease = Lease(means.documents, means.clock, name=name, owner=SystemIds().new(), seconds=lease_seconds)
        if issubclass(kind.subscriber, ProcessManager):
            return ProcessRunner(kind, prefixes, means, lease)
        runner = ReactionRunner if issubclass(kind.subscriber, Reaction) else ProjectionRunner
        return runner(kind, prefixes, means, lease)

    return make
