"""The fields that several requests share, with what is allowed in them."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

_NO_CONTROLS: Final = r"^[^\x00-\x1f\x7f-\x9f]*$"

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=_NO_CONTROLS)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_NO_CONTROLS)]
Justification = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=_NO_CONTROLS)]
Arguments = Annotated[Mapping[str, JsonValue], Field(default_factory=dict[str, JsonValue])]


class RequestModel(BaseModel):
    """Base of request bodies: a field that nobody knows is a mistake of the sender."""

    model_config = ConfigDict(extra="forbid")
