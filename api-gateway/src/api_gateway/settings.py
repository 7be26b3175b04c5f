"""What the API Gateway can be told. See the README for the list."""

from typing import ClassVar

from neuroglia.hosting import ServiceSettings


class ApiGatewaySettings(ServiceSettings):
    """The common settings, and what bounds this gateway."""

    service: ClassVar[str] = "api-gateway"
    title: ClassVar[str] = "API Gateway"

    port: int = 8083
