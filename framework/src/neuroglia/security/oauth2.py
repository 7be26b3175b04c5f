"""OAuth2 access tokens: JWTs that the issuer has signed (RFC 6750, RFC 7519, RFC 8725)."""

import logging
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field
from starlette.datastructures import Headers
from typing_extensions import override

from neuroglia.core.clock import Clock
from neuroglia.core.context import Principal
from neuroglia.core.errors import Unauthenticated
from neuroglia.security.guard import KEY_HOLDER, Scheme
from neuroglia.security.keys import SigningKeys, load
from neuroglia.security.options import OAuth2Options

_log: Final = logging.getLogger("neuroglia.security")
_SKEW_S: Final = 30
"""So far may the issuer's clock and ours be apart."""
_LONGEST: Final = 16 * 1024
_REMEMBERED: Final = 1_000
_REMEMBERED_S: Final = 60


def _split(value: object) -> object:
    return value.split() if isinstance(value, str) else value


def _somebody(subject: str) -> str:
    if not subject.isprintable() or subject.startswith(("system:", KEY_HOLDER)):
        raise ValueError("this can be nobody's name")
    return subject


Names = Annotated[frozenset[str], BeforeValidator(_split)]
"""Separated by spaces (RFC 8693, section 4.2), or a list, as some issuers write them."""


class _Header(BaseModel):
    """What of a token's header is looked at; keys in it are not. `alg`: signatures that no public key can make."""

    alg: Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
    kid: str | None = None
    typ: Literal["JWT", "at+jwt", "application/at+jwt"] | None = None


class _Roles(BaseModel):
    roles: Names = frozenset()


class _Claims(_Roles):
    """What of a token's claims is used."""

    sub: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_somebody)]
    exp: float
    scope: Names = frozenset()
    scp: Names = frozenset()
    realm_access: _Roles = _Roles()


class InvalidToken(Unauthenticated):
    """The token is expired, forged, or made for somebody else. Its text says not more than that."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.challenge = f'Bearer error="invalid_token", error_description="{reason}"'
        """RFC 6750, section 3."""


class OAuth2Bearer(Scheme):
    """`Authorization: Bearer …`. A token that was good is good for a minute, if it does not expire before."""

    name: ClassVar[str] = "oauth2"
    challenge: ClassVar[str] = "Bearer"

    def __init__(self, options: OAuth2Options, keys: SigningKeys, clock: Clock) -> None:
        self._options = options
        self._keys = keys
        self._clock = clock
        self._good: dict[str, tuple[float, Principal]] = {}
        self._checked_with: object = None

    @override
    def description(self) -> Mapping[str, Any]:
        return {"type": "openIdConnect", "openIdConnectUrl": self._options.published_at}

    @override
    async def authenticate(self, headers: Headers) -> Principal | None:
        values, now = headers.getlist("authorization"), self._clock.now().timestamp()
        if self._keys.known is not self._checked_with:
            self._good.clear()
            self._checked_with = self._keys.known
        if len(values) == 1 and (good := self._good.get(values[0])) and now < good[0]:
            return good[1]
        kind, _, token = (values[0] if values else "").partition(" ")
        if kind.lower() != "bearer":
            return None
        if len(values) > 1 or len(token) > _LONGEST:
            raise InvalidToken("Send one token, of at most 16 KiB.")
        expires, principal = await self._verify(token, int(now))
        if len(self._good) >= _REMEMBERED:
            self._good.clear()
        self._good[values[0]] = min(now + _REMEMBERED_S, expires), principal
        return principal

    async def _verify(self, token: str, now: int) -> tuple[float, Principal]:
        """When it expires, and whose it is."""
        await load()
        from joserfc import jws, jwt
        from joserfc.errors import JoseError

        rules = jwt.JWTClaimsRegistry(
            now=now, leeway=_SKEW_S,
            iss={"essential": True, "value": self._options.issuer},
            aud={"essential": True, "value": self._options.audience},
            exp={"essential": True}, sub={"essential": True},
        )  # fmt: skip
        try:
            header = _Header.model_validate(jws.extract_compact(token.encode("ascii")).headers())
            for key in await self._keys.named(header.kid):
                try:
                    verified = jwt.decode(token, key, algorithms=[header.alg])
                except (JoseError, ValueError, TypeError):
                    continue  # another key of this name may have signed it
                rules.validate(verified.claims)
                read = _Claims.model_validate(verified.claims)
                roles = read.roles | read.realm_access.roles
                return read.exp, Principal(read.sub, read.scope | read.scp, roles, verified.claims)
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            _log.info("token refused", extra={"reason": getattr(error, "claim", type(error).__name__)})
            raise InvalidToken("The token is expired, not yet valid, broken, or made for somebody else.") from None
        _log.info("token refused", extra={"reason": "signature"})
        raise InvalidToken("The token is not signed by the issuer.")
