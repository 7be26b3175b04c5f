"""Settings, from the environment alone (12-factor)."""

from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AnyHttpUrl, BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from neuroglia.security import OAuth2Options

_HTTP: Final = r"^https?://[^/\s]+"


def _listed(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


_Folder = Annotated[Path, BeforeValidator(lambda told: told or None)]  # nothing would be the present folder


class ServiceSettings(BaseSettings):
    """What every service can be told. The variables have the fields' names, in any case.

    Backing services are URLs whose scheme picks the adapter. `{DATA_DIR}` in them is replaced.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)
    service: ClassVar[str] = "service"
    """The service's name: in problem types, health and logs."""
    title: ClassVar[str] = ""
    """What people call it, over its documentation."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    data_dir: _Folder = Path("data")
    event_store_url: str = "sqlite:///{DATA_DIR}/events.db"
    document_store_url: str = "sqlite:///{DATA_DIR}/documents.db"
    oauth2_issuer: Annotated[str, Field(pattern=_HTTP)] = "http://127.0.0.1:8090"
    """The exact `iss` of the access tokens that are believed."""
    oauth2_audience: str | None = None
    """What their `aud` has to hold; the service's name, unless it is told otherwise."""
    oauth2_discovery_url: Annotated[str, Field(pattern=f"{_HTTP}|^$")] | None = None
    """Where the issuer describes itself, when it is reached by another address from here."""
    cors_origins: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)] = ()
    """Of the pages that may call from a browser, separated by commas. None, unless they are named."""
    cloud_events_sink: AnyHttpUrl | None = None
    """Where CloudEvents are sent to; without one they are logged and shown."""
    otel_exporter_otlp_endpoint: AnyHttpUrl | Literal[""] = ""
    """Of the collector that traces and metrics go to; without one there are none."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    lease_seconds: float = Field(default=3.0, gt=0, le=300)
    """How soon another process takes over the work of one that has died."""
    max_body_bytes: int = Field(default=1024 * 1024, ge=1)

    @property
    def oauth2(self) -> OAuth2Options:
        """Whose tokens are believed."""
        return OAuth2Options(self.oauth2_issuer, self.oauth2_audience or self.service, self.oauth2_discovery_url)

    def url(self, template: str) -> str:
        """A backing service's URL with the data folder filled in."""
        return template.replace("{DATA_DIR}", str(self.data_dir))
