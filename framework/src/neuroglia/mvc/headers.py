"""For OpenAPI: the headers that an endpoint takes and answers beside what its method says."""

from collections.abc import Mapping
from typing import Any, Final

from neuroglia.mvc.routes import Endpoint

_TEXT: Final[Mapping[str, Any]] = {"type": "string"}
_KEY: Final = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}
_NUMBER: Final = {"type": "integer", "minimum": 0}
_OWN_KEY: Final = "Of your choice. The same request with the same key takes effect once and answers the same (24 h)."
_VERSION: Final = "An ETag, with its quotes: that version alone is changed, else the answer is 412."
_WAIT: Final = "An X-Event-Position: what is read has seen that event, if it can within five seconds."


def headers_taken(endpoint: Endpoint, *, has_log: bool) -> list[dict[str, Any]]:
    """Of the requests."""
    reads = endpoint.method == "GET"
    described = _described(
        ("Idempotency-Key", _OWN_KEY, _KEY, not reads),
        ("If-Match", _VERSION, _TEXT, endpoint.etag and not reads and not endpoint.location),
        ("X-Wait-For-Position", _WAIT, _NUMBER, has_log and reads),
    )
    return [{"name": name, "in": "header", "required": False, **told} for name, told in described.items()]


def headers_sent(endpoint: Endpoint, *, has_log: bool) -> Mapping[str, Any]:
    """Of the answers, if they are what was asked for."""
    return _described(
        ("Location", "Where it is.", _TEXT, endpoint.location),
        ("ETag", "Its version, for If-Match.", _TEXT, endpoint.etag),
        ("X-Event-Position", "Of the change, for X-Wait-For-Position.", _NUMBER, has_log and endpoint.method != "GET"),
    )


def _described(*headers: tuple[str, str, Mapping[str, Any], object]) -> Mapping[str, Mapping[str, Any]]:
    return {name: {"description": text, "schema": schema} for name, text, schema, is_there in headers if is_there}
