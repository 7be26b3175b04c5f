"""The sink: where this service's events go, over HTTP in structured mode."""

import asyncio
import logging
from typing import Final

import httpx
from cloudevents.core.v1.event import CloudEvent

from neuroglia.cloud_events.bus import CloudEventBus
from neuroglia.cloud_events.events import CloudEventOptions
from neuroglia.cloud_events.messages import STRUCTURED, dump
from neuroglia.core.clock import Clock
from neuroglia.core.errors import Unavailable
from neuroglia.mvc.retrying import retry_after
from neuroglia.observability import trace_headers

_TIMEOUT_S: Final = 10.0
_LIMITS: Final = httpx.Limits(max_connections=32, max_keepalive_connections=32)
_MOST_READ: Final = 64 * 1024
_REFUSED: Final = {400, 413, 415, 422}
_log: Final = logging.getLogger("neuroglia.cloud_events")


class EventRefused(Exception):
    """The sink does not take this very event, however often it comes."""


class Sink:
    """One client for all. Without a URL, events are logged by type, id and subject."""

    def __init__(self, options: CloudEventOptions, bus: CloudEventBus, clock: Clock) -> None:
        self._url = None if options.sink is None else str(options.sink)
        self._bus = bus
        self._clock = clock
        self._client = httpx.AsyncClient(timeout=_TIMEOUT_S, limits=_LIMITS) if self._url else None
        self._loop = asyncio.get_running_loop()
        self._transient = bus.transient.subscribe(self._send_once)

    async def deliver(self, event: CloudEvent) -> None:
        """Sends an event, and shows it on the bus. Raises like `send`."""
        await self.send(event)
        self._bus.output.show(event)

    async def send(self, event: CloudEvent) -> None:
        """Sends an event, once.

        Raises:
            EventRefused: the sink does not want it.
            Unavailable: nobody knows whether it has arrived; it has to be sent again.
        """
        if self._client is None or self._url is None:
            told = {"type": event.get_type(), "id": event.get_id(), "subject": event.get_subject()}
            _log.info("event", extra=told)
            return
        headers = {"content-type": STRUCTURED, **trace_headers()}
        sending = self._client.stream("POST", self._url, content=dump(event), headers=headers)
        try:
            async with asyncio.timeout(_TIMEOUT_S), sending as answer:
                async for _ in answer.aiter_raw():  # to its end, so that the connection can be used again
                    if answer.num_bytes_downloaded > _MOST_READ:
                        break
        except (httpx.HTTPError, TimeoutError) as error:
            raise Unavailable(f"the sink of events does not answer: {type(error).__name__}") from None
        if answer.status_code in _REFUSED:
            raise EventRefused(f"the sink of events answers {answer.status_code}")
        if not answer.is_success:
            asked = retry_after(answer.headers.get("retry-after", ""), self._clock.now())
            raise Unavailable(f"the sink of events answers {answer.status_code}", retry_after=asked)

    async def aclose(self) -> None:
        """Closes the connections."""
        self._transient.dispose()
        if self._client is not None:
            await self._client.aclose()

    def _send_once(self, event: CloudEvent) -> None:
        """Sends a transient event from the thread that sees it, whether it arrives or not."""
        try:
            asyncio.run_coroutine_threadsafe(self.send(event), self._loop).result()
        except (Unavailable, EventRefused) as error:
            _log.warning("a transient event is lost", extra={"type": event.get_type(), "reason": str(error)})
