"""Whom a service believes."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OAuth2Options:
    """The issuer of access tokens, and what this service is called in them.

    Attributes:
        issuer: the exact `iss` claim.
        audience: what the `aud` claim has to hold.
        discovery_url: where the issuer describes itself, when that is reached by another address from here.
    """

    issuer: str
    audience: str
    discovery_url: str | None = None

    @property
    def described_at(self) -> str:
        """Where the issuer describes itself to this service."""
        return self.discovery_url or self.published_at

    @property
    def published_at(self) -> str:
        """Where it describes itself to everybody (OpenID Connect Discovery 1.0, section 4)."""
        from authlib.oidc.discovery import get_well_known_url  # see `load`

        return str(get_well_known_url(self.issuer, external=True))
