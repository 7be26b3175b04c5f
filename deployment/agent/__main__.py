"""`python -m deployment.agent` serves it, on loopback unless it is told otherwise."""

import uvicorn

from deployment.agent.app import create_app
from deployment.agent.settings import AgentSettings

if __name__ == "__main__":
    settings = AgentSettings()
    uvicorn.run(create_app(settings), host=settings.host, port=settings.port, access_log=False, log_level="warning")
