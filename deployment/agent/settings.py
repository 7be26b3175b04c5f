"""Whom it answers, and as whom. From the environment, like all settings."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class AgentSettings(BaseSettings):
    """Where the gateway and the issuer are, and what the agent is to the issuer."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8091, ge=0, le=65535)
    agent_hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "agent")
    """By what it may be called: a page of a stranger that has its name lead here sees nothing."""
    agent_prompts: int = Field(default=1000, ge=1)
    """The newest are kept, so many."""
    gateway_url: str = "http://127.0.0.1:8083"
    oauth2_issuer: str = "http://127.0.0.1:8090"
    oauth2_discovery_url: str | None = None
    """Where the issuer describes itself, when it is reached by another address from here."""
    agent_client: str = "agent"
    agent_secret: SecretStr = SecretStr("")
    """Without it the issuer gives no tokens."""

    @property
    def described_at(self) -> str:
        """Where the issuer says at which address it gives out tokens (OpenID Connect Discovery 1.0, section 4)."""
        return self.oauth2_discovery_url or f"{self.oauth2_issuer}/.well-known/openid-configuration"
