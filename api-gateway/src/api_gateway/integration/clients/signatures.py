"""Signatures of callbacks, as receivers know them from elsewhere: the Standard Webhooks scheme, version 1."""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

_PREFIX: Final = "whsec_"
_PURPOSE: Final = b"api-gateway callback secret v1:"


class CallbackSecrets:
    """One secret per caller, derived from the deployment's: what a caller knows is good for its own callbacks alone.

    The first of `masters` is the present one. Those behind it are being replaced: callbacks are signed with all, so
    that each caller changes over when it likes.
    """

    def __init__(self, masters: Sequence[bytes]) -> None:
        self._masters = tuple(masters)

    def of(self, caller_id: str) -> str:
        """What a caller verifies with: `whsec_` and 32 bytes in base64."""
        return _PREFIX + base64.b64encode(_derived(self._masters[0], caller_id)).decode()

    def headers(self, id: str, caller_id: str, body: bytes, now: datetime) -> Mapping[str, str]:
        """`webhook-id`, `webhook-timestamp` (seconds since 1970) and `webhook-signature` of a body: HMAC-SHA-256 over
        `id.timestamp.body`, in base64, once for each secret."""
        timestamp = str(int(now.timestamp()))
        signed = b".".join((id.encode(), timestamp.encode(), body))
        marks = (_mac(_derived(master, caller_id), signed) for master in self._masters)
        signature = " ".join(f"v1,{base64.b64encode(mark).decode()}" for mark in marks)
        return {"webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature}


def _derived(master: bytes, caller_id: str) -> bytes:
    return _mac(master, _PURPOSE + caller_id.encode())


def _mac(key: bytes, message: bytes) -> bytes:
    return hmac.new(key, message, hashlib.sha256).digest()
