"""Running an application as a process."""

from collections.abc import Callable
from typing import Final, TypeVar

import uvicorn
from fastapi import FastAPI
from pydantic import ValidationError

from neuroglia.core.errors import ConfigurationError
from neuroglia.hosting.logging import configure_logging
from neuroglia.hosting.settings import ServiceSettings

_DRAIN_S: Final = 5
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
    uvicorn.run(
        app,
        host=chosen.host,
        port=chosen.port,
        log_config=None,
        access_log=False,  # RequestMiddleware writes one line with the correlation id
        server_header=False,
        timeout_graceful_shutdown=_DRAIN_S,
    )
