"""The bus: everything that passes, as hot Rx observables on which a service composes what it wants to know."""

import logging
import threading
from collections import deque
from typing import Final

from cloudevents.core.v1.event import CloudEvent
from reactivex import Observer, Subject
from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase
from reactivex.disposable import CompositeDisposable, Disposable
from typing_extensions import override

from neuroglia.cloud_events.events import CloudEventWriter, IntegrationEvent
from neuroglia.core.ids import SystemIds

_UNSEEN: Final = 1_000
"""So many events wait for an observer that is slow; then the oldest pass it by."""
_log: Final = logging.getLogger("neuroglia.cloud_events")


class Passing(Subject[CloudEvent]):
    """What passes, for observers that each sit on a thread of their own. `missed`: how many events passed them by."""

    def __init__(self) -> None:
        super().__init__()
        self.missed = 0

    def show(self, event: CloudEvent) -> None:
        """Lets all see it, and waits for none."""
        with self.lock:
            self.on_next(event)

    @override
    def _subscribe_core(
        self, observer: ObserverBase[CloudEvent], scheduler: SchedulerBase | None = None
    ) -> DisposableBase:
        feed = _Feed(observer, self)
        feed.place = super()._subscribe_core(Observer(feed.push, on_completed=feed.end), scheduler)
        feed.start()
        return CompositeDisposable(feed.place, Disposable(feed.end))


class _Feed(threading.Thread):
    """One observer, and what it has not seen yet. None: nothing more comes."""

    place: DisposableBase

    def __init__(self, observer: ObserverBase[CloudEvent], passing: Passing) -> None:
        super().__init__(name="cloud-event-observer", daemon=True)
        self._observer = observer
        self._passing = passing
        self._unseen: deque[CloudEvent | None] = deque(maxlen=_UNSEEN)
        self._changed = threading.Condition()

    def push(self, event: CloudEvent | None) -> None:
        """Takes it in; if there is no room, the oldest has to go for it."""
        with self._changed:
            if len(self._unseen) == self._unseen.maxlen and event is not None:
                self._passing.missed += 1
            self._unseen.append(event)
            self._changed.notify()

    def end(self) -> None:
        """Nothing more comes. An observer that has left sees no more of what has come, either."""
        self.push(None)

    def _next(self) -> CloudEvent | None:
        with self._changed:
            self._changed.wait_for(lambda: self._unseen)
            return self._unseen.popleft()

    @override
    def run(self) -> None:
        try:
            while (event := self._next()) is not None:
                self._observer.on_next(event)
            self._observer.on_completed()
        except Exception as error:  # noqa: BLE001 - whatever an observer raises: it is told, and the observer is out
            _log.error("an observer failed and is unsubscribed", exc_info=error)
            self.place.dispose()


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
            passing.on_completed()
