"""What the API Gateway can be told. See the README for the list."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode

from api_gateway.integration.clients.media_types import KNOWN_MEDIA_TYPES
from neuroglia.hosting import ServiceSettings


def _listed(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Listed = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]


class ApiGatewaySettings(ServiceSettings):
    """The common settings, and what bounds this gateway."""

    service: ClassVar[str] = "api-gateway"
    title: ClassVar[str] = "API Gateway"

    port: int = 8083
    genai_url: str = "echo://"
    genai_api_key: SecretStr | None = None
    genai_timeout: float = Field(default=60.0, gt=0, le=240)
    """Seconds for one answer."""
    object_store_url: str = "file://{DATA_DIR}/objects"
    data_max_bytes: int = Field(default=64 * 1024 * 1024, ge=1)
    """Of one package behind a `data_url`."""
    data_timeout: float = Field(default=60.0, gt=0, le=240)
    """Seconds for one download."""
    data_media_types: Listed = tuple(sorted(KNOWN_MEDIA_TYPES))
    """Those that are taken."""
    data_max_entries: int = Field(default=1000, ge=1)
    """Of one archive."""
    data_max_unpacked_bytes: int = Field(default=256 * 1024 * 1024, ge=1)
    """What all entries of one archive may unpack to."""
    prompt_timeout: float = Field(default=900.0, gt=0)
    """Seconds within which a prompt gets its response, or faults."""
    callback_secret: Listed = ()
    """Of which each caller's own is derived; of several, separated by commas, the first one is the present one."""
    outgoing_allow_http: bool = False
    """Whether callers may name http URLs."""
    outgoing_hosts: Listed = ()
    """The only hosts that are called for callers, if any are named; `.example.com` stands for all below it."""
    outgoing_ports: Listed = ()
    """Those that are called besides 443, such as `8443` or `8000-8999`."""
    outgoing_ca_file: Path | None = None
    """Certificates (PEM) that callers' servers are believed with, instead of the usual authorities."""
    outgoing_allowed_networks: Listed = ()
    """Of addresses that are not public: those that are called all the same."""

    @property
    def patience(self) -> timedelta:
        """How long a prompt may take."""
        return timedelta(seconds=self.prompt_timeout)
