"""Running an application as a process."""

from collections.abc import Callable
from typing import Final

import uvicorn
from fastapi import FastAPI

from neuroglia.hosting.logging import configure_logging
from neuroglia.hosting.settings import ServiceSettings

_DRAIN_S: Final = 5


def run(create_app: Callable[[], FastAPI], settings: ServiceSettings) -> None:
    """Serves until SIGTERM or SIGINT, then finishes the requests in hand and stops what was started."""
    configure_logging(settings.log_level)
    uvicorn.run(
        create_app(),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,  # RequestMiddleware writes one line with the correlation id
        server_header=False,
        timeout_graceful_shutdown=_DRAIN_S,
    )
