"""CloudEvents in HTTP messages (HTTP Protocol Binding 1.0.2), read as strictly as the specification allows.

The SDK does the work. Around it stands what it leaves out: it makes up attributes that are missing, knows no batches,
takes a structured message with `ce-` headers for a binary one, and overlooks nulls, quoted headers, broken encodings.
"""

import base64
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from email.message import Message
from typing import Any, Final, NamedTuple, cast
from urllib.parse import unquote

from cloudevents.core.bindings.http import HTTPMessage, from_binary
from cloudevents.core.exceptions import BaseCloudEventException, CloudEventValidationError
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import REQUIRED_ATTRIBUTES, CloudEvent
from fastapi import HTTPException
from pydantic import TypeAdapter

from neuroglia.core.errors import MalformedRequest
from neuroglia.mvc.bodies import is_json, strict_json

STRUCTURED: Final = JSONFormat.CONTENT_TYPE
BATCHED: Final = "application/cloudevents-batch+json"
_OBJECT: Final = TypeAdapter(dict[str, Any])
_BATCH: Final = TypeAdapter(list[dict[str, Any]])
_UTF_8: Final = {"utf-8", "utf8", "us-ascii"}  # RFC 8259, section 8.1
_NAME: Final = re.compile(r"[a-z0-9]+")  # CloudEvents 1.0.2, "Attribute Naming Convention"
_FORBIDDEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")  # CloudEvents 1.0.2, "Type System": String


class Received(NamedTuple):
    """An event, and where its data stands in the message's body (JSON Pointer)."""

    event: CloudEvent
    pointer: str


def receive(headers: Sequence[tuple[str, str]], body: bytes) -> Sequence[Received]:
    """The events of a request, in the mode that its content type names (section 3).

    Raises:
        MalformedRequest: it is no message, or one of its events is none.
        HTTPException: 415, the content is nothing that could hold an event.
    """
    content = Message()
    content["content-type"] = dict(headers).get("content-type", "")
    media_type = content.get_content_type()
    if is_json(media_type) and content.get_content_charset("utf-8") not in _UTF_8:
        raise HTTPException(415, "JSON is written in UTF-8.")
    try:
        if media_type == STRUCTURED:
            return [Received(_from_json(_OBJECT.validate_python(strict_json(body))), "/data")]
        if media_type == BATCHED:
            batch = _BATCH.validate_python(strict_json(body))
            return [Received(_from_json(event), f"/{n}/data") for n, event in enumerate(batch)]
        if media_type.startswith("application/cloudevents") or not any(name.startswith("ce-") for name, _ in headers):
            raise HTTPException(415, f"Send {STRUCTURED}, {BATCHED}, or data with the attributes in ce- headers.")
        return [Received(_from_headers(headers, body), "")]
    except CloudEventValidationError as error:
        raise MalformedRequest(f"This is no CloudEvent: wrong are {', '.join(sorted(error.errors))}.") from None
    except (ValueError, TypeError, RecursionError, BaseCloudEventException):
        raise MalformedRequest("This is no CloudEvent, or its text is broken.") from None


def load(text: str) -> CloudEvent:
    """The event that `dump` wrote."""
    return cast("CloudEvent", JSONFormat().read(_strict, text))


def dump(event: CloudEvent) -> str:
    """An event in the JSON format."""
    data, media_type = event.get_data(), event.get_datacontenttype() or "application/json"
    if not isinstance(data, str | bytes | None) and not JSONFormat.JSON_CONTENT_TYPE_PATTERN.match(media_type):
        data = json.dumps(data).encode()  # what the SDK takes for another format it would write as Python does
    return JSONFormat().write(_strict({**event.get_attributes()}, data)).decode()


def data_of(event: CloudEvent) -> str:
    """The event's data as JSON text.

    Raises:
        ValueError: it is none.
    """
    data = event.get_data()
    return json.dumps(strict_json(data) if isinstance(data, bytes) else data)


def _from_json(event: Mapping[str, Any]) -> CloudEvent:
    members = {name: value for name, value in event.items() if value is not None}  # JSON Event Format, section 2.2
    if "data_base64" in members:
        base64.b64decode(members["data_base64"], validate=True)  # the SDK skips what does not belong there
    return load(json.dumps(members, allow_nan=False))


def _from_headers(headers: Sequence[tuple[str, str]], body: bytes) -> CloudEvent:
    found: dict[str, str] = {}
    for name, value in headers:
        if name == "content-type" or name.startswith("ce-"):
            if name in found or name == "ce-datacontenttype" or not value.isascii():  # sections 3.1.1 and 3.1.3
                raise MalformedRequest(f"The header {name} must not be there, or not twice, or not like this.")
            found[name] = value if name == "content-type" else _unquoted(value)
    data = strict_json(body) if body and is_json(found.get("content-type", "")) else body or None  # section 3.1.2
    return cast("CloudEvent", from_binary(HTTPMessage(found, b""), JSONFormat(), lambda named, _: _strict(named, data)))


def _unquoted(value: str) -> str:
    """Section 3.1.3.2: double quotes are first taken off, and what is no UTF-8 is refused."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    unquote(value, errors="strict")
    return value


def _strict(attributes: dict[str, Any], data: Any) -> CloudEvent:
    """An event of nothing but what was said: the SDK makes up an id, a time and a version."""
    if missing := [name for name in REQUIRED_ATTRIBUTES if name not in attributes]:
        raise MalformedRequest(f"The event lacks {', '.join(missing)}.")
    timeless = "time" not in attributes
    event = CloudEvent(attributes, data)
    if timeless:
        del attributes["time"]
    for name, value in attributes.items():
        # JSON Event Format, section 2.2: texts, truth values, whole numbers of 32 bits; the SDK has looked at the time
        fits = isinstance(value, str | datetime) or (isinstance(value, int) and -(2**31) <= value < 2**31)
        if not fits or not _NAME.fullmatch(name) or _FORBIDDEN.search(str(value)):
            raise MalformedRequest("An attribute has a name or a value that none can have.")
    return event
