"""A service of one module, without stores."""

import sys

from fastapi import FastAPI

from neuroglia.hosting import ServiceSettings, WebApplicationBuilder, run


def serve(module: str) -> None:
    settings = ServiceSettings(port=int(sys.argv[1]), log_level="WARNING")

    def create_app() -> FastAPI:
        builder = WebApplicationBuilder(settings)
        builder.add_controllers(module)
        builder.add_mediation(module)
        return builder.build()

    run(create_app, settings)
