"""Running an application as a process."""

from collections.abc import Callable
from types import FrameType
from typing import Final, TypeVar

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError
from typing_extensions import override

from neuroglia.core.errors import ConfigurationError
from neuroglia.core.lifecycle import Stopping
from neuroglia.hosting.logging import configure_logging
from neuroglia.hosting.settings import ServiceSettings

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
        configure_logging(chosen.log_level)
        app = create_app(chosen)
    except (ConfigurationError, ValidationError) as error:
        raise SystemExit(f"{settings.service} cannot start: {error}") from None
    config = uvicorn.Config(
        app,
        host=chosen.host,
        port=chosen.port,
        log_config=None,
        access_log=False,  # RequestMiddleware writes one line with the correlation id
        server_header=False,
        timeout_graceful_shutdown=_DRAIN_S,
    )
    server = _Server(config, app.state.services.get_now(Stopping))
    server.run()
    if not server.started:
        raise SystemExit(_NOT_STARTED)


class _Server(uvicorn.Server):
    """Tells the application at once that it is to end: the server waits for all that is open."""

    def __init__(self, config: uvicorn.Config, stopping: Stopping) -> None:
        super().__init__(config)
        self._stopping = stopping

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._stopping.set()
        super().handle_exit(sig, frame)
