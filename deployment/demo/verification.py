"""How a receiver tells that a callback comes from the gateway. It may be copied as it is."""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping


def verify_callback(
    headers: Mapping[str, str], body: bytes, secret: str, *, now: float | None = None, tolerance: float = 300
) -> bool:
    """Whether this body was signed with this secret (`whsec_…`), within so many seconds of now. `headers` in lower
    case; the body as it came, before anything reads it."""
    id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs((time.time() if now is None else now) - int(timestamp)) > tolerance:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mark = base64.b64encode(hmac.digest(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256))
    given = [one.removeprefix("v1,") for one in headers.get("webhook-signature", "").split() if one.startswith("v1,")]
    return any(hmac.compare_digest(mark, one.encode()) for one in given)
