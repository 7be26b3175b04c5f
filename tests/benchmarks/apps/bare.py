"""The raw limit: one endpoint on a plain FastAPI application, served with the options of `neuroglia.hosting.run`."""

import logging
import sys

import uvicorn
from fastapi import FastAPI

from tests.benchmarks.apps.models import Movement, MovementRequest

app = FastAPI()


@app.post("/api/v1/movements")
async def move(request: MovementRequest) -> Movement:
    return Movement(id="1", account_id=request.account_id, amount=request.amount, reference=request.reference)


@app.get("/health/live")
async def live() -> dict[str, str]:
    return {"status": "live"}


if __name__ == "__main__":
    logging.basicConfig(level="WARNING")
    uvicorn.run(
        app,
        port=int(sys.argv[1]),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
