"""Access tokens in tests: really signed, and really checked, without an issuer that has to be asked."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey

from neuroglia.core import Clock
from neuroglia.dependency_injection import ServiceProvider
from neuroglia.mvc.guarded import GuardedRoute
from neuroglia.security import OAuth2Options, SigningKeys

_LIFE_S = 10 * 365 * 24 * 3600  # clocks of tests make leaps


@cache
def signing_key() -> ECKey:
    """The key of this process's tokens."""
    return ECKey.generate_key("P-256", {"kid": "test", "use": "sig", "alg": "ES256"}, auto_kid=False)


class Tokens:
    """Signs tokens for one service, which believes them."""

    def __init__(self, options: OAuth2Options, clock: Clock) -> None:
        self._options = options
        self._clock = clock

    @staticmethod
    async def believed_by(services: ServiceProvider) -> "Tokens":
        """Lets a service take the key of this process for its issuer's."""
        (await services.get(SigningKeys)).pin([ECKey.import_key(signing_key().as_dict(private=False))])
        return Tokens(await services.get(OAuth2Options), await services.get(Clock))

    def token(self, scopes: Iterable[str], *, sub: str = "test", **claims: Any) -> str:
        """A token with these scopes. `claims` are added, or replace those that it would have."""
        now = int(self._clock.now().timestamp())
        told = {
            "iss": self._options.issuer, "aud": self._options.audience, "sub": sub, "scope": " ".join(scopes),
            "exp": now + _LIFE_S, **claims,
        }  # fmt: skip
        return jwt.encode({"alg": "ES256", "kid": "test"}, told, signing_key(), algorithms=["ES256"])

    def bearer(self, scopes: Iterable[str], **claims: Any) -> dict[str, str]:
        """The header that carries it."""
        return {"Authorization": f"Bearer {self.token(scopes, **claims)}"}


def scopes_of(app: FastAPI) -> set[str]:
    """All scopes that its endpoints want."""
    return {scope for route in app.routes if isinstance(route, GuardedRoute) for scope in route.scopes}
