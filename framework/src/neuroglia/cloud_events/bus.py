"""The bus: everything that passes, as hot Rx observables on which a service composes what it wants to know."""

import logging
import threading
from collections import deque
from typing import Final

from cloudevents.core.v1.event import CloudEvent
from reactivex import Observable
from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase
from reactivex.disposable import Disposable
from typing_extensions import override

from neuroglia.cloud_events.events import CloudEventWriter, IntegrationEvent
from neuroglia.core.ids import SystemIds

_UNSEEN: Final = 1_000
"""So many events wait for an observer that is slow; then the oldest pass it by."""
_log: Final = logging.getLogger("neuroglia.cloud_events")


class Passing(Observable[CloudEvent]):
    """What passes, for observers that each sit on a thread of their own. `missed`: how many events passed them by."""

    def __init__(self) -> None:
        super().__init__(self._join)
        self.missed = 0
        self._feeds: set[_Feed] = set()

    def show(self, event: CloudEvent) -> None:
        """Lets all see it, and waits for none."""
        with self.lock:
            self.missed += sum(feed.push(event) for feed in self._feeds)

    def close(self) -> None:
        """All are told that nothing more comes."""
        for feed in [*self._feeds]:
            self.leave(feed, completed=True)

    def leave(self, feed: "_Feed", *, completed: bool = False) -> None:
        """One sees no more of it; if it is `completed`, it sees what has passed before."""
        with self.lock:
            self._feeds.discard(feed)
        feed.live = completed
        feed.push(None)

    def _join(self, observer: ObserverBase[CloudEvent], _: SchedulerBase | None = None) -> DisposableBase:
        feed = _Feed(observer, self)
        with self.lock:
            self._feeds.add(feed)
        feed.start()
        return Disposable(lambda: self.leave(feed))


class _Feed(threading.Thread):
    """One observer, and what it has not seen yet. None: nothing more comes."""

    def __init__(self, observer: ObserverBase[CloudEvent], passing: Passing) -> None:
        super().__init__(name="cloud-event-observer", daemon=True)
        self.live = True
        self._observer = observer
        self._passing = passing
        self._unseen: deque[CloudEvent | None] = deque(maxlen=_UNSEEN)
        self._changed = threading.Condition()

    def push(self, event: CloudEvent | None) -> bool:
        """Takes it in, and says whether the oldest had to go for it."""
        with self._changed:
            full = len(self._unseen) == self._unseen.maxlen
            self._unseen.append(event)
            self._changed.notify()
            return full

    def _next(self) -> CloudEvent | None:
        with self._changed:
            self._changed.wait_for(lambda: self._unseen)
            return self._unseen.popleft()

    @override
    def run(self) -> None:
        try:
            while (event := self._next()) is not None and self.live:
                self._observer.on_next(event)
            if self.live:
                self._observer.on_completed()
        except Exception as error:  # noqa: BLE001 - whatever an observer raises: it is told, and the observer is out
            _log.error("an observer failed and is unsubscribed", exc_info=error)
            self._passing.leave(self)


class CloudEventBus:
    """Shows events, and cannot be held up: an observer that blocks misses what comes meanwhile, one that throws is
    unsubscribed.

    Attributes:
        input: every event that is accepted, once that is durable; duplicates are not shown again.
        output: every event that is delivered; those of `publish` at once.
        transient: those of `publish` alone, for the sink.
    """

    def __init__(self, writer: CloudEventWriter) -> None:
        self.input, self.output, self.transient = Passing(), Passing(), Passing()
        self._writer = writer
        self._ids = SystemIds()

    def publish(self, event: IntegrationEvent, *, subject: str | None = None) -> None:
        """Tells something that may be lost, such as a heartbeat, from any thread: it is shown at once and sent once."""
        written = self._writer.wrap(event, self._ids.new(), subject)
        self.transient.show(written)
        self.output.show(written)

    async def aclose(self) -> None:
        """Nothing more comes."""
        for passing in (self.input, self.output, self.transient):
            passing.close()
