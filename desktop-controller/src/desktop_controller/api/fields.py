"""The fields that several requests share, with what is allowed in them."""

from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, StringConstraints

_NO_CONTROLS: Final = r"^\P{Cc}*$"

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=_NO_CONTROLS)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=_NO_CONTROLS)]
Justification = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500, pattern=_NO_CONTROLS)]


class RequestModel(BaseModel):
    """Base of request bodies: a field that nobody knows is a mistake of the sender."""

    model_config = ConfigDict(extra="forbid")
