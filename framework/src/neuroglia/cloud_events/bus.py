"""The bus: everything that passes, as hot Rx observables on which a service composes what it wants to know."""

import logging
import queue
import threading
from contextlib import suppress
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


class CloudEventBus:
    """Shows events, and cannot hold them up: each observer sits on a thread of its own. One that blocks misses what
    comes meanwhile, one that throws is unsubscribed.

    Attributes:
        input: every event that is accepted, once that is durable; duplicates are not shown again.
        output: every event that is delivered; those of `publish` at once.
        transient: those of `publish` alone, for the sink.
    """

    def __init__(self, writer: CloudEventWriter) -> None:
        self._input, self._output, self._transient = _Stream(), _Stream(), _Stream()
        self.input: Observable[CloudEvent] = Observable(self._input.subscribe)
        self.output: Observable[CloudEvent] = Observable(self._output.subscribe)
        self.transient: Observable[CloudEvent] = Observable(self._transient.subscribe)
        self._writer = writer
        self._ids = SystemIds()

    @property
    def missed(self) -> int:
        """How many events have passed observers by, and how many transient ones were never sent."""
        return self._input.missed + self._output.missed + self._transient.missed

    def publish(self, event: IntegrationEvent, *, subject: str | None = None) -> None:
        """Tells something that may be lost, such as a heartbeat, from any thread: it is shown at once and sent once."""
        written = self._writer.wrap(event, self._ids.new(), subject)
        self._transient.show(written)
        self._output.show(written)

    def accepted(self, event: CloudEvent) -> None:
        """Shows an event that came in."""
        self._input.show(event)

    def delivered(self, event: CloudEvent) -> None:
        """Shows an event that went out."""
        self._output.show(event)

    async def aclose(self) -> None:
        """All observers are told that nothing more comes."""
        for stream in (self._input, self._output, self._transient):
            stream.close()


class _Stream:
    """What passes on one side, and its observers."""

    def __init__(self) -> None:
        self.missed = 0
        self._lock = threading.Lock()
        self._feeds: set[_Feed] = set()

    def subscribe(self, observer: ObserverBase[CloudEvent], _: SchedulerBase | None = None) -> DisposableBase:
        feed = _Feed(observer, self)
        with self._lock:
            self._feeds.add(feed)
        feed.start()
        return Disposable(lambda: self.leave(feed))

    def show(self, event: CloudEvent) -> None:
        with self._lock:
            self.missed += sum(feed.push(event) for feed in self._feeds)

    def leave(self, feed: "_Feed", *, completed: bool = False) -> None:
        with self._lock:
            self._feeds.discard(feed)
            feed.end(completed=completed)

    def close(self) -> None:
        for feed in [*self._feeds]:
            self.leave(feed, completed=True)


class _Feed(threading.Thread):
    """One observer, and what it has not seen yet. None: nothing more comes."""

    def __init__(self, observer: ObserverBase[CloudEvent], stream: _Stream) -> None:
        super().__init__(name="cloud-event-observer", daemon=True)
        self._observer = observer
        self._stream = stream
        self._unseen: queue.Queue[CloudEvent | None] = queue.Queue(_UNSEEN)
        self._live = True

    def push(self, event: CloudEvent | None) -> bool:
        """Takes an event in, and says whether another had to go for it. Called by one at a time."""
        missed = False
        while True:
            try:
                self._unseen.put_nowait(event)
                return missed
            except queue.Full:
                with suppress(queue.Empty):
                    self._unseen.get_nowait()
                    missed = True

    def end(self, *, completed: bool) -> None:
        self._live = completed
        self.push(None)

    @override
    def run(self) -> None:
        try:
            while (event := self._unseen.get()) is not None and self._live:
                self._observer.on_next(event)
            if self._live:
                self._observer.on_completed()
        except Exception as error:  # noqa: BLE001 - whatever an observer raises: it is told, and the observer is out
            _log.error("an observer failed and is unsubscribed", exc_info=error)
            self._stream.leave(self)
