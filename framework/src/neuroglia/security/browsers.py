"""What browsers are told: what they must not do with an answer, and which pages of others may ask."""

from collections.abc import Sequence
from typing import Final

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

Header = tuple[bytes, bytes]
_PROTECTIONS: Final[Sequence[Header]] = [
    (b"x-content-type-options", b"nosniff"), (b"x-frame-options", b"DENY"), (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
]  # fmt: skip
_SENT: Final = [
    "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "Last-Event-ID", "Prefer", "X-API-Key",
    "X-Correlation-ID", "X-Wait-For-Position",
]  # fmt: skip
_SHOWN: Final = [
    "ETag", "Location", "Preference-Applied", "Retry-After", "WWW-Authenticate", "X-Correlation-ID",
    "X-Event-Position", "X-Read-Model-Position",
]  # fmt: skip


def protections(headers: Sequence[Header]) -> list[Header]:
    """What an answer with these headers says besides; what it says itself, it means."""
    said = dict(headers)  # their names are lowercase, says ASGI 3.0
    return [header for header in _PROTECTIONS if header[0] not in said]


def allow_pages(app: FastAPI, origins: Sequence[str]) -> None:
    """Lets pages of these origins ask (CORS). Credentials are headers, never cookies: none is sent unasked."""
    if origins:
        methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        app.add_middleware(
            CORSMiddleware, allow_origins=origins, allow_methods=methods, allow_headers=_SENT, expose_headers=_SHOWN
        )
