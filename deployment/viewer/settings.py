"""Where it listens, and how much it keeps. From the environment, like all settings."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ViewerSettings(BaseSettings):
    """All bounds together are what it may take of memory."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8084, ge=0, le=65535)
    viewer_hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "viewer")
    """By what it may be called: a page of a stranger that has its name lead here sees nothing."""
    viewer_events: int = Field(default=1000, ge=1)
    """The newest are kept, so many."""
    viewer_kept_bytes: int = Field(default=16 * 1024 * 1024, ge=1)
    """Nor more than this of them."""
    viewer_max_body_bytes: int = Field(default=1024 * 1024, ge=1)
    viewer_watchers: int = Field(default=50, ge=1)
    """Pages that may be open at the same time."""
