"""Who can get tokens, and for what. From the environment, like all settings."""

from typing import Any

from pydantic import BaseModel, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Client(BaseModel):
    """A program that gets tokens. Without a secret it is public: it gets them for users alone, with PKCE."""

    secret: str | None = None
    scopes: frozenset[str]
    redirect_uris: tuple[str, ...] = ()
    claims: dict[str, Any] = Field(default_factory=dict[str, Any])
    """What its tokens say besides."""
    audiences: tuple[str, ...] | None = None
    """Whom its tokens are for; None: for all that the issuer knows."""


class User(BaseModel):
    """A person who can log in, by being chosen."""

    scopes: frozenset[str]
    claims: dict[str, Any] = Field(default_factory=dict[str, Any])


class IssuerSettings(BaseSettings):
    """`ISSUER_CLIENTS` and `ISSUER_USERS` are JSON objects by name."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    port: int = Field(default=8090, ge=0, le=65535)
    issuer_clients: dict[str, Client] = Field(default_factory=dict[str, Client])
    issuer_users: dict[str, User] = Field(default_factory=dict[str, User])
    issuer_audiences: tuple[str, ...] = ("openbank", "desktop-controller", "api-gateway")
    issuer_token_seconds: int = 600
    issuer_url: str | None = None
    """Its name, where others reach it by another address than its port on loopback."""
    issuer_backchannel_dynamic: bool = False
    """Whether it tells programs to get keys and tokens at the address by which they have called, its name or not."""

    @property
    def url(self) -> str:
        """The issuer's name, which is its address."""
        return self.issuer_url or f"http://127.0.0.1:{self.port}"
