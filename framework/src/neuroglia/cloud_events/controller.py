"""`/cloudevents`: where other services send their events."""

from typing import Any, Final

from fastapi import Request, Response

from neuroglia.cloud_events.bus import CloudEventBus
from neuroglia.cloud_events.inbox import Inbox
from neuroglia.cloud_events.messages import BATCHED, STRUCTURED, receive
from neuroglia.mvc import ControllerBase, post

_MEDIA: Final = (STRUCTURED, BATCHED, "*/*")
_BODY: Final[dict[str, Any]] = {"required": True, "content": {kind: {"schema": {}} for kind in _MEDIA}}
_DESCRIBED: Final[dict[str, Any]] = {"requestBody": _BODY, "parameters": []}
"""For OpenAPI. There is no `Idempotency-Key`: an event is known by its id."""


class CloudEventsController(ControllerBase, prefix="/cloudevents"):
    def __init__(self, inbox: Inbox, bus: CloudEventBus) -> None:
        self._inbox = inbox
        self._bus = bus

    @post(status_code=202, scopes=["events:write"], response_class=Response, openapi_extra=_DESCRIBED)
    async def receive(self, request: Request) -> Response:
        """Takes CloudEvents 1.0 in binary, structured or batched mode: all of a message, or nothing."""
        received = receive([(name.lower(), value) for name, value in request.headers.items()], await request.body())
        for event in await self._inbox.accept(received):
            self._bus.input.show(event)
        return Response(status_code=202)
