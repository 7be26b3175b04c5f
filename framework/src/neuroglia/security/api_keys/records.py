"""What is known of an API key: enough to recognise it, and nothing of which it could be made."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from neuroglia.core.clock import in_utc
from neuroglia.documents import document
from neuroglia.security.api_keys.rate_limits import parse_limit


def _somebody(caller_id: str) -> str:
    if not caller_id.isprintable():
        raise ValueError("this can be nobody's name")
    return caller_id


def _limit(text: str) -> str:
    parse_limit(text)
    return text


Moment = Annotated[datetime, AfterValidator(in_utc)]
Permission = Annotated[str, Field(pattern=r"^[!#-\[\]-~]{1,100}$")]
"""A scope as tokens have them (RFC 6749, section 3.3)."""


class SecretHash(BaseModel):
    """What is kept of a secret. `until`: it is followed by another one, and good only so long."""

    hash: Annotated[str, Field(repr=False)]
    until: Moment | None = None


@document("api_keys", indexes=["created_at"])
class ApiKey(BaseModel):
    """What is known of a key. Who has all of this cannot make the key of it.

    Attributes:
        id: its public prefix, by which it is found.
        caller_id: on whose behalf it asks. A caller may have several keys.
        permissions: the scopes that it holds.
        rate_limit: how often it may ask, such as `60/minute`.
        hashes: of the secrets that are good, the newest first.
    """

    id: str
    caller_id: Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_somebody)]
    permissions: Annotated[Sequence[Permission], Field(min_length=1, max_length=100)]
    rate_limit: Annotated[str, Field(max_length=50), AfterValidator(_limit)]
    expires_at: Moment | None
    created_at: Moment
    hashes: Sequence[SecretHash]

    def has_expired(self, now: datetime) -> bool:
        """Whether it is good no more."""
        return self.expires_at is not None and self.expires_at <= now


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """A key with its secret, which nobody can tell again: an answer that is kept, or logged, shows asterisks."""

    key: ApiKey
    secret: SecretStr
    """The whole text that the caller sends: `get_secret_value()` shows it."""
