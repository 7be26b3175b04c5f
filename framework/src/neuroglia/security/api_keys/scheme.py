"""Requests that show an API key."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from limits.aio.storage import Storage
from starlette.datastructures import Headers
from typing_extensions import override

from neuroglia.core.context import Principal
from neuroglia.dependency_injection import ServiceCollection
from neuroglia.security.api_keys.rate_limits import RateLimits, Windows
from neuroglia.security.api_keys.service import ApiKeys, InvalidApiKey
from neuroglia.security.guard import KEY_HOLDER, Scheme

_HEADER: Final = "X-API-Key"


class ApiKeyScheme(Scheme):
    """`X-API-Key: …`. Who asks is the caller, whichever of their keys they show: an audit names the caller, and what is
    theirs stays theirs when a key is replaced. The claims name the key. Tell who it is by the principal's id: a token's
    claims may have any name."""

    name: ClassVar[str] = "api_key"
    challenge: ClassVar[str] = InvalidApiKey.challenge

    def __init__(self, keys: ApiKeys, limits: RateLimits) -> None:
        self._keys = keys
        self._limits = limits

    @override
    def description(self) -> Mapping[str, Any]:
        return {"type": "apiKey", "in": "header", "name": _HEADER}

    @override
    async def authenticate(self, headers: Headers) -> Principal | None:
        match headers.getlist(_HEADER):
            case []:
                return None
            case [text]:
                key = await self._keys.authenticate(text)
            case _:
                raise InvalidApiKey
        claims = {"caller_id": key.caller_id, "key_id": key.id, "rate_limit": key.rate_limit}
        return Principal(KEY_HOLDER + key.caller_id, frozenset(key.permissions), claims=claims)

    @override
    async def admitted(self, principal: Principal) -> None:
        await self._limits.take(principal.claims["rate_limit"], principal.claims["key_id"])


def add_api_keys(services: ServiceCollection) -> None:
    """What it takes to accept API keys, beside a document store."""
    services.add_singleton(ApiKeys)
    services.add_singleton(Storage, Windows)
    services.add_singleton(RateLimits)
    services.add_singleton(Scheme, ApiKeyScheme)
