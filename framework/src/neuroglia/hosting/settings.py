"""Settings, from the environment alone (12-factor)."""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import AnyHttpUrl, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


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
    data_dir: Path = Path("data")
    event_store_url: str = "sqlite:///{DATA_DIR}/events.db"
    document_store_url: str = "sqlite:///{DATA_DIR}/documents.db"
    cloud_events_sink: AnyHttpUrl | None = None
    """Where CloudEvents are sent to; without one they are logged and shown."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    lease_seconds: float = Field(default=3.0, gt=0, le=300)
    """How soon another process takes over the work of one that has died."""
    max_body_bytes: int = Field(default=1024 * 1024, ge=1)

    def url(self, template: str) -> str:
        """A backing service's URL with the data folder filled in."""
        return template.replace("{DATA_DIR}", str(self.data_dir))
