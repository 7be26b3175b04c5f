"""Running an application as a process."""

import gc
import logging
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import FrameType
from typing import Final, TypeVar

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from typing_extensions import override

from neuroglia.core.errors import ApplicationError, ConfigurationError
from neuroglia.core.lifecycle import Stopping
from neuroglia.core.validation import field_errors
from neuroglia.hosting.logging import configure_logging
from neuroglia.hosting.settings import ServiceSettings

_log: Final = logging.getLogger("neuroglia.hosting")
_FORESEEN: Final = (ApplicationError, ConfigurationError)
_DRAIN_S: Final = 5
_NOT_STARTED: Final = 3
S = TypeVar("S", bound=ServiceSettings)


def run(create_app: Callable[[S], FastAPI], settings: type[S]) -> None:
    """Serves until SIGTERM or SIGINT, then finishes the requests in hand and stops what was started.

    Raises:
        SystemExit: the settings or the application are wrong; the text says what to mend.
    """
    try:
        chosen = settings()
        if chosen.port not in range(65536):  # a class with a port of its own has lost its bounds
            raise ConfigurationError("PORT: it has to be a number from 0 to 65535")
        configure_logging(chosen.log_level)
        app = create_app(chosen)
    except ConfigurationError as error:
        raise SystemExit(f"{settings.service} cannot start: {error}") from None
    except ValidationError as error:
        told = [(fault.pointer[1:].partition("/")[0].upper(), fault.detail) for fault in field_errors(error.errors())]
        faults = "\n".join(f"{name}: {detail}" if name else detail for name, detail in told)
        raise SystemExit(f"{settings.service} cannot start: {faults}") from None
    config = uvicorn.Config(
        _told_plainly(app, settings.service), host=chosen.host, port=chosen.port, log_config=None, server_header=False,
        interface="asgi3", access_log=False,  # RequestMiddleware writes one line with the correlation id
        timeout_graceful_shutdown=_DRAIN_S,
    )  # fmt: skip
    server = _Server(config, app.state.services.get_now(Stopping))
    gc.freeze()  # what is there by now stays to the end: no request pays for the collector's look at it
    try:
        with suppress(KeyboardInterrupt):  # Ctrl-C, which uvicorn raises anew when all has ended
            server.run()
    except SystemExit as ended:
        if isinstance(why := ended.__context__, OSError):  # which uvicorn tells without what it is about
            _log.error(f"{settings.service} cannot start: HOST {chosen.host}, PORT {chosen.port}: {why.strerror}")
        raise
    if not server.started:
        raise SystemExit(_NOT_STARTED)


def _told_plainly(app: ASGIApp, service: str) -> ASGIApp:
    """An application that says in one sentence why it does not start, if that is no mistake in its code."""

    def plain(scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        async def tell(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed" and isinstance(error := sys.exception(), _FORESEEN):
                _log.debug("cannot start", exc_info=error)
                message["message"] = " ".join([f"{service} cannot start: {error}", *getattr(error, "__notes__", ())])
            await send(message)

        return app(scope, receive, tell if scope["type"] == "lifespan" else send)

    return plain


class _Server(uvicorn.Server):
    """Tells the application at once that it is to end: the server waits for all that is open."""

    def __init__(self, config: uvicorn.Config, stopping: Stopping) -> None:
        super().__init__(config)
        self._stopping = stopping

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._stopping.set()
        super().handle_exit(sig, frame)
