"""The issuer's public keys: found by discovery, kept, and fetched again when a token names another one."""

import asyncio
import logging
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from neuroglia.core.clock import Clock
from neuroglia.core.errors import Unavailable
from neuroglia.security.options import OAuth2Options

if TYPE_CHECKING:
    from joserfc.jwk import Key

_log: Final = logging.getLogger("neuroglia.security")
_TIMEOUT_S: Final = 5.0
_AT_MOST_EVERY: Final = timedelta(seconds=10)
"""However many unknown keys are named, the issuer is not asked more often."""
_FRESH: Final = timedelta(minutes=15)
"""After this the keys are fetched again, so that one that was withdrawn is forgotten."""
_MOST_KEYS: Final = 64


class _Issuer(BaseModel):
    issuer: str
    jwks_uri: str


class _Keys(BaseModel):
    keys: list[dict[str, Any]]


async def load() -> None:
    """Loads what fetches keys and reads tokens, once and beside the loop. It would be a third of every start."""
    if "joserfc.jwk" not in sys.modules or "httpx" not in sys.modules:
        for name in ("httpx", "joserfc.jwt", "authlib.oidc.discovery"):
            await asyncio.to_thread(import_module, name)


class SigningKeys:
    """Keeps what it knows while the issuer does not answer."""

    def __init__(self, options: OAuth2Options, clock: Clock) -> None:
        self._options = options
        self._clock = clock
        self.known: Sequence[Key] | None = None
        self._tried: datetime | None = None
        self._fetched: datetime | None = None
        self._pinned = False
        self._fetching = asyncio.Lock()

    def pin(self, keys: "Sequence[Key]") -> None:
        """These are the issuer's, and it is never asked: for where it cannot be reached, and for tests."""
        self.known, self._pinned = keys, True

    async def named(self, kid: str | None) -> "Sequence[Key]":
        """All keys of this name, for nothing forbids an issuer to use one twice; without a name, all keys.

        Raises:
            Unavailable: no key is known, and the issuer does not answer.
        """
        if not self._named(kid) or (self._is_old() and self._may_ask()):
            async with self._fetching:  # who waited here finds what the one before has fetched
                if (not self._named(kid) or self._is_old()) and self._may_ask():
                    await self._fetch()
        if self.known is None:
            raise Unavailable("the issuer of tokens does not answer", retry_after=_AT_MOST_EVERY.total_seconds())
        return self._named(kid)

    def _named(self, kid: str | None) -> "Sequence[Key]":
        return [key for key in self.known or () if kid is None or key.kid == kid]

    def _is_old(self) -> bool:
        return self._fetched is not None and self._clock.now() - self._fetched > _FRESH

    def _may_ask(self) -> bool:
        if self._pinned:
            return False
        return self._tried is None or self._clock.now() - self._tried >= _AT_MOST_EVERY

    async def _fetch(self) -> None:
        import httpx

        self._tried = self._clock.now()
        discovery = self._options.described_at
        try:
            async with asyncio.timeout(_TIMEOUT_S), httpx.AsyncClient() as client:
                told = _Issuer.model_validate_json((await client.get(discovery)).raise_for_status().content)
                if told.issuer != self._options.issuer:  # OpenID Connect Discovery 1.0, section 4.3
                    raise ValueError(f"it says that it is {told.issuer}")
                found = _Keys.model_validate_json((await client.get(told.jwks_uri)).raise_for_status().content)
            keys = [key for one in found.keys[:_MOST_KEYS] if (key := _usable(one))]
            if not keys:
                raise ValueError("it has no key that can be used")
            self.known, self._fetched = keys, self._clock.now()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError) as error:
            _log.error("the issuer's keys cannot be fetched", extra={"url": discovery, "reason": repr(error)})


def _usable(told: Mapping[str, Any]) -> "Key | None":
    """A key for signatures; None: it is for something else, or not understood (RFC 7517, section 5)."""
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    if told.get("use", "sig") != "sig" or told.get("kty") == "oct":
        return None
    try:
        return KeySet.import_key_set({"keys": [{**told}]}).keys[0]
    except (JoseError, ValueError, TypeError, KeyError) as error:
        _log.warning("a key of the issuer cannot be used", extra={"reason": repr(error)})
        return None
