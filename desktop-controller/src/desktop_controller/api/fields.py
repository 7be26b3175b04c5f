"""The fields that several requests share, with what is allowed in them."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, StringConstraints
from pydantic_core import PydanticCustomError

_NO_CONTROLS: Final = r"^[^\x00-\x1f\x7f-\x9f]*$"

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=_NO_CONTROLS)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_NO_CONTROLS)]
Justification = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=_NO_CONTROLS)]


def _only_characters(value: Any) -> Any:
    """The same, if all of its texts are some. JSON can escape one half of a surrogate pair, which nothing can be
    written with: neither an event, nor the answer that would point at it."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("string_unicode", "A text in it contains what is no character.") from None
    return value


Arguments = Annotated[
    Mapping[str, JsonValue], BeforeValidator(_only_characters), Field(default_factory=dict[str, JsonValue])
]


class RequestModel(BaseModel):
    """Base of request bodies: a field that nobody knows is a mistake of the sender."""

    model_config = ConfigDict(extra="forbid")
