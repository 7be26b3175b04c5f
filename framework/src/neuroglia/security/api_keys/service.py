"""API keys: long random secrets for callers that have no issuer of tokens. Each is `<public prefix>.<secret>`."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from pydantic import SecretStr, ValidationError

from neuroglia.core.clock import Clock
from neuroglia.core.errors import FieldError, InvalidRequest, Unauthenticated
from neuroglia.core.paging import DEFAULT_LIMIT, Page
from neuroglia.core.validation import misfits
from neuroglia.documents import Documents, DocumentStore, DocumentType, Session
from neuroglia.domain import StateConflict
from neuroglia.security.api_keys.records import ApiKey, IssuedKey, SecretHash

_FORM: Final = re.compile(r"([0-9a-f]{16})\.([A-Za-z0-9_-]{43})")
_LONGEST_OVERLAP: Final = timedelta(days=30)
_MOST_SECRETS: Final = 5
_NOBODYS: Final = "0" * 64
"""The hash of no secret that anybody knows."""


class InvalidApiKey(Unauthenticated):
    """It is unknown, wrong, expired, revoked or no key at all: its sender does not learn which."""

    challenge: ClassVar[str] = "ApiKey"

    def __init__(self) -> None:
        super().__init__("The API key is not valid.")


class KeyNotRotatable(StateConflict):
    """The key has expired, or too many of its secrets are good already."""

    code: ClassVar[str] = "api-key-not-rotatable"


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """The keys of this service. Each change is written at once, by compare-and-set.

    Nothing is remembered between two requests: a key that is revoked stops at all replicas at the same moment. That
    costs each request one look by its primary key, some 100 µs in SQLite, which is less than its handler will take.
    """

    kind: DocumentType[ApiKey]
    store: DocumentStore
    clock: Clock

    async def issue(
        self, caller_id: str, permissions: Collection[str], rate_limit: str, expires_at: datetime | None = None
    ) -> IssuedKey:
        """A new key.

        Raises:
            InvalidRequest: one of the values is none.
        """
        secret, now = _new_secret(), self.clock.now()
        try:
            key = ApiKey(
                id=secrets.token_hex(8), caller_id=caller_id, permissions=sorted({*permissions}), rate_limit=rate_limit,
                expires_at=expires_at, created_at=now, hashes=[SecretHash(hash=_hash(secret))],
            )  # fmt: skip
        except ValidationError as error:
            raise InvalidRequest(misfits(error)) from None
        if key.has_expired(now):
            raise InvalidRequest([FieldError("/expires_at", "past", "This time is over.")])
        return await self._save(Session(self.store), key, secret)

    async def rotate(self, id: str, overlap: timedelta) -> IssuedKey:
        """The same key with a new secret. Those that it had are good until the overlap is over, and no longer.

        Raises:
            NotFoundError: there is no such key.
            InvalidRequest: the overlap is negative, or longer than 30 days.
            KeyNotRotatable: it has expired, or was rotated too often within its overlaps.
            ConcurrencyError: somebody else changed it at the same moment.
        """
        if not timedelta() <= overlap <= _LONGEST_OVERLAP:
            raise InvalidRequest([FieldError("/overlap", "range", "This is negative, or longer than 30 days.")])
        secret, now, session = _new_secret(), self.clock.now(), Session(self.store)
        key = await Documents(self.kind, session).get(id)
        over = now + overlap
        old = [SecretHash(hash=one.hash, until=min(one.until or over, over)) for one in key.hashes]
        good = [one for one in old if one.until is not None and one.until > now]
        if key.has_expired(now) or len(good) >= _MOST_SECRETS:
            raise KeyNotRotatable("The key has expired, or too many of its secrets are still good.")
        key.hashes = [SecretHash(hash=_hash(secret)), *good]
        return await self._save(session, key, secret)

    async def revoke(self, id: str) -> None:
        """Ends a key at once.

        Raises:
            NotFoundError: there is no such key.
            ConcurrencyError: somebody else changed it at the same moment.
        """
        session = Session(self.store)
        await Documents(self.kind, session).get(id)
        await session.delete(self.kind, id)
        await session.commit()

    async def page(self, limit: int = DEFAULT_LIMIT, cursor: str | None = None) -> Page[ApiKey]:
        """The keys, oldest first, those that have expired included.

        Raises:
            MalformedRequest: the cursor is of another list.
        """
        return await Documents(self.kind, Session(self.store)).find(order="created_at", limit=limit, cursor=cursor)

    async def authenticate(self, text: str) -> ApiKey:
        """The key of which this is the whole text.

        A prefix that nobody has goes the way of a wrong secret: one look, one hash, and comparisons in constant time.

        Raises:
            InvalidApiKey: there is none, or it is not good.
        """
        if (parts := _FORM.fullmatch(text)) is None:
            raise InvalidApiKey
        id, secret = parts.groups()
        key, now = await Session(self.store).get(self.kind, id), self.clock.now()
        good = [] if key is None else [one.hash for one in key.hashes if one.until is None or now < one.until]
        given = _hash(secret)
        matches = [hmac.compare_digest(given, known) for known in good or [_NOBODYS]]
        if key is None or key.has_expired(now) or not any(matches):
            raise InvalidApiKey
        return key

    async def _save(self, session: Session, key: ApiKey, secret: str) -> IssuedKey:
        session.save(self.kind, key)
        await session.commit()
        return IssuedKey(key, SecretStr(f"{key.id}.{secret}"))


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


def _hash(secret: str) -> str:
    """A slow hash protects what people could guess. Nobody guesses 256 random bits, so a fast one will do, and no
    caller can keep the service busy with it."""
    return hashlib.sha256(secret.encode()).hexdigest()
