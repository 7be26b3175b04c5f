"""A service of one module, without stores."""

import os
import sys

from fastapi import FastAPI

from neuroglia.hosting import ServiceSettings, WebApplicationBuilder, run


def serve(module: str) -> None:
    """Serves the controllers and handlers of a module on the port that the command line names."""
    os.environ.update(PORT=sys.argv[1], LOG_LEVEL="WARNING")

    def create_app(settings: ServiceSettings) -> FastAPI:
        builder = WebApplicationBuilder(settings)
        builder.add_controllers(module)
        builder.add_mediation(module)
        return builder.build()

    run(create_app, ServiceSettings)
