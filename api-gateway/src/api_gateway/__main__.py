"""`python -m api_gateway` serves the gateway."""

from api_gateway.main import create_app
from api_gateway.settings import ApiGatewaySettings
from neuroglia.hosting import run

if __name__ == "__main__":
    run(create_app, ApiGatewaySettings)
