"""The runner of one subscription: has the lease, follows the log, and hands on what comes."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from neuroglia.core.errors import ConcurrencyError, Unavailable
from neuroglia.documents import Lease, WorkState
from neuroglia.event_sourcing.handlers import SubscriberType
from neuroglia.event_sourcing.store import BEGINNING, Batch, EventSubscription
from neuroglia.event_sourcing.subscriptions.checkpoints import CheckpointMoved
from neuroglia.event_sourcing.subscriptions.means import Means
from neuroglia.event_sourcing.subscriptions.parking import Parking
from neuroglia.event_sourcing.subscriptions.patience import Patience, Stopped
from neuroglia.event_sourcing.subscriptions.status import SubscriptionState, SubscriptionStatus

_log: Final = logging.getLogger("neuroglia.subscriptions")
_RECONNECT_S: Final = 0.5
_LOOK_S: Final = 0.05
"""How often a process that stands by looks how far the other one is, while somebody waits for that."""


class SubscriptionRunner(ABC):
    """Runs one subscriber. Of several processes, the one with the lease does the work; the others stand by.

    Attributes:
        parking: what of this subscription is parked.
    """

    parking: Parking

    def __init__(self, kind: SubscriberType, prefixes: Sequence[str], means: Means, lease: Lease) -> None:
        self.kind = kind
        self.status = SubscriptionStatus(kind.subscriber.name)
        self.prefixes = prefixes
        self._means, self._lease, self._patience = means, lease, Patience(self.status)
        self._turn = asyncio.Lock()  # a batch, or something that was requested: never both
        self._requested = asyncio.Event()
        self._moved = asyncio.Condition()
        self._subscription: EventSubscription | None = None
        self._looked = (BEGINNING, BEGINNING)  # where the log ended the last time, and the last own event in it

    async def run(self) -> None:
        """Follows the log until `stop`. Failures are logged and retried with pauses, for ever."""
        while not self._patience.stopping.is_set():
            try:
                if await self._lease.claim():
                    await self._follow()
                else:
                    await self._stand_by()
            except (CheckpointMoved, ConcurrencyError):
                _log.info("checkpoint moved elsewhere", extra={"subscription": self.status.name})
            except Stopped:
                break
            except Exception as error:  # noqa: BLE001 - whatever it is: a subscription goes on, and tells
                self._patience.note(error)
                with suppress(Stopped):
                    await self._patience.pause(_RECONNECT_S)
        self.status.state = SubscriptionState.STOPPED
        with suppress(Unavailable):
            await self._lease.release()

    async def stop(self) -> None:
        """Ends `run` after what is in hand."""
        self._patience.stopping.set()
        await self._begin_again()

    async def replay(self, stream: str | None = None) -> None:
        """Asks for what is parked, of a stream or all, to be handled after all. Whoever has the lease does it."""
        await self.parking.request(WorkState.WAITING, stream)
        self._requested.set()

    async def discard(self, stream: str | None = None, *, position: int | None = None) -> None:
        """Asks for what is parked to be left out for ever: all, a stream's, or one event. What was parked behind it
        is then handled."""
        await self.parking.request(WorkState.DISCARDED, stream, position=position)
        self._requested.set()

    @abstractmethod
    async def look(self) -> None:
        """Reads how far the subscription has come, in whichever process it runs."""

    @abstractmethod
    async def _resume(self) -> None:
        """Reads what earlier runners have left, to go on from there. Where the lease was taken over, somebody has died
        at work, and one of the next events may be why.

        Raises:
            LogBehindCheckpoint: it is of another log.
        """

    @abstractmethod
    async def _take(self, batch: Batch) -> None:
        """Handles the next events, and moves the checkpoint behind them."""

    @abstractmethod
    async def _attend(self) -> None:
        """Does what somebody has requested, if anything."""

    @asynccontextmanager
    async def _working(self) -> AsyncGenerator[None]:
        """Around the time in which batches come."""
        yield

    async def wait_for(self, position: int, seconds: float) -> None:
        """Returns once `position` is passed, or after so many seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.status.position < position:
                    if self.status.state is SubscriptionState.STANDBY:  # another process moves the checkpoint
                        await self.look()
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_LOOK_S), self._moved:
                            await self._moved.wait_for(lambda: self.status.position >= position)

    async def last_own_position(self, at_most: int) -> int:
        """The position of the last event up to `at_most` that this runner gets to see."""
        return await self._means.events.last_position(prefixes=self.prefixes, at_most=at_most)

    async def own_end(self, head: int) -> int:
        """The same for a log that ends at `head`. It is often asked for, and what others have appended may be much: the
        log is looked through only as far as it has grown since the last time."""
        before, own = self._looked
        if before != head:
            events, self._looked = self._means.events, (BEGINNING, BEGINNING)  # where the log is another one, it fails
            if not 0 <= before < head or (await events.read_all(after=before, prefixes=self.prefixes, limit=1)).events:
                own = await self.last_own_position(head)
            self._looked = head, own
        return own

    async def _passed(self, position: int) -> None:
        async with self._moved:
            self.status.position = position
            self._moved.notify_all()

    async def _stand_by(self) -> None:
        self.status.state, self.status.error = SubscriptionState.STANDBY, None
        await self.look()
        await self._patience.pause(self._lease.seconds / 4)

    async def _follow(self) -> None:
        await self._patience.insist(self._resume)
        self._lease.taken_over = False
        self._subscription = self._means.events.subscribe(after=self.status.position, prefixes=self.prefixes)
        try:
            if self._patience.stopping.is_set():  # said before there was a subscription to stop
                return
            async with self._attending(), self._working():
                async for batch in self._subscription:
                    async with self._turn:
                        await self._take(batch)
                    reached = SubscriptionState.LIVE if batch.caught_up else SubscriptionState.CATCHING_UP
                    self._patience.recovered(reached)
        finally:
            await self._subscription.stop()

    @asynccontextmanager
    async def _attending(self) -> AsyncGenerator[None]:
        """Renews the lease and does what is requested, while the log is followed."""
        beside = asyncio.gather(self._renew(), self._attend_for_ever(), return_exceptions=True)
        try:
            yield
        finally:
            beside.cancel()
            await asyncio.gather(beside, return_exceptions=True)

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self._lease.seconds / 3)
            with suppress(Unavailable):
                if not await self._lease.claim():
                    break
        await self._begin_again()  # the lease is lost: whoever has it goes on

    async def _begin_again(self) -> None:
        """Ends the following, after what is in hand, and with it the tasks beside it."""
        if self._subscription is not None:
            await self._subscription.stop()

    async def _attend_for_ever(self) -> None:
        failed = False
        while True:
            try:
                await self._attend()
                if failed:  # what else may be failing is not ours to tell
                    self._patience.recovered()
                failed = False
            except (CheckpointMoved, Stopped):
                await self._begin_again()
                return
            except Exception as error:  # noqa: BLE001 - it is tried again, and told
                self._patience.note(error)
                failed = True
            with suppress(TimeoutError):
                async with asyncio.timeout(self._lease.seconds / 3):
                    await self._requested.wait()
            self._requested.clear()
