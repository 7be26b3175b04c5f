"""All subscriptions of an application: started with it, stopped with it, and asked and told things by name."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from typing_extensions import override

from neuroglia.core.ids import SystemIds
from neuroglia.core.lifecycle import HostedTasks
from neuroglia.documents import Lease
from neuroglia.event_sourcing.handlers import Subscriber, SubscriberType
from neuroglia.event_sourcing.reactions import Reaction
from neuroglia.event_sourcing.subscriptions.means import Means
from neuroglia.event_sourcing.subscriptions.projection_runner import ProjectionRunner
from neuroglia.event_sourcing.subscriptions.reaction_runner import ReactionRunner
from neuroglia.event_sourcing.subscriptions.runner import SubscriptionRunner


class Subscriptions(HostedTasks):
    """All subscriptions of the application.

    Attributes:
        runners: that of each projection and reaction.
    """

    def __init__(self, runners: list[SubscriptionRunner]) -> None:
        super().__init__()
        self.runners: Mapping[type[Subscriber], SubscriptionRunner] = {one.kind.subscriber: one for one in runners}

    async def wait_for(self, position: int, seconds: float) -> None:
        """Returns once every subscription has passed the last of its events up to `position`.

        Raises:
            TimeoutError: one of them has not, after so many seconds.
        """
        async with asyncio.timeout(seconds):
            for runner in self.runners.values():
                await runner.wait_for(await runner.last_own_position(position), seconds)

    @override
    async def start(self) -> None:
        for runner in self.runners.values():  # the first request already reads the live generation
            await runner.look()
        for runner in self.runners.values():
            self._begin(runner.status.name, runner.run())

    @override
    async def stop(self) -> None:
        for runner in self.runners.values():
            await runner.stop()
        await self._end()


def runner_factory(
    kind: SubscriberType, prefixes: Sequence[str], lease_seconds: float
) -> Callable[[Means], SubscriptionRunner]:
    """Makes the runner of a subscriber, for the container."""

    def make(means: Means) -> SubscriptionRunner:
        name = kind.subscriber.name
        lease = Lease(means.documents, means.clock, name=name, owner=SystemIds().new(), seconds=lease_seconds)
        usual = ReactionRunner if issubclass(kind.subscriber, Reaction) else ProjectionRunner
        return (kind.subscriber.runner or usual)(kind, prefixes, means, lease)

    return make
