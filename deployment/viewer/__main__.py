"""`python -m deployment.viewer` serves it."""

import uvicorn

from deployment.viewer.app import create_app
from deployment.viewer.settings import ViewerSettings

if __name__ == "__main__":
    settings = ViewerSettings()
    uvicorn.run(
        create_app(settings), host=settings.host, port=settings.port, access_log=False, log_level="warning",
        timeout_graceful_shutdown=1,  # pages that are open would keep it for ever
    )  # fmt: skip
