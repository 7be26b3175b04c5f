"""`python -m deployment.issuer` serves it on loopback."""

import uvicorn

from deployment.issuer.app import create_app
from deployment.issuer.settings import IssuerSettings

if __name__ == "__main__":
    settings = IssuerSettings()
    uvicorn.run(create_app(settings), host="127.0.0.1", port=settings.port, access_log=False, log_level="warning")
